# find_package(tenon) defines the target tenon::tenon: the static library, its headers and what it links.
include(${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/tenonTargets.cmake)
