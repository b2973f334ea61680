# Every library that tenon links, by its Debian 12 package. Why each: docs/decisions/0002-libraries.md.
# Installed beside tenonConfig.cmake: whoever links the static library links these, too.
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)          # libfmt-dev
find_package(simdjson REQUIRED)     # libsimdjson-dev
find_package(nlohmann_json REQUIRED)  # nlohmann-json3-dev
find_package(PkgConfig REQUIRED)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)        # libhwy-dev
pkg_check_modules(spng REQUIRED IMPORTED_TARGET spng)         # libspng-dev
pkg_check_modules(webp REQUIRED IMPORTED_TARGET libwebp libwebpdemux)  # libwebp-dev
pkg_check_modules(jpeg REQUIRED IMPORTED_TARGET libturbojpeg) # libturbojpeg0-dev
