#pragma once
// Precompiled once for every source of the library and its tests (CMakeLists.txt): what most of them include,
// which is a third of the build. It declares nothing itself; each file still includes what it uses, and the
// sanitizer builds, which do without it, fail where one does not.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ops/core/op_def.h"
#include "tensor/element.h"
