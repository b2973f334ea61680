// The opcodes that the pickle machine runs: those that torch.save writes with protocols 2 to 5. Names and
// values are those of CPython's Lib/pickletools.py.
#pragma once

#include <cstdint>

namespace tenon::pickle {

// clang-format off
enum class Opcode : uint8_t {
  kProto = 0x80, kFrame = 0x95, kStop = '.', kMark = '(', kMemoize = 0x94,
  kBinPut = 'q', kLongBinPut = 'r', kBinGet = 'h', kLongBinGet = 'j',
  kNone = 'N', kNewTrue = 0x88, kNewFalse = 0x89,
  kBinInt = 'J', kBinInt1 = 'K', kBinInt2 = 'M', kLong1 = 0x8a, kLong4 = 0x8b, kBinFloat = 'G',
  kBinString = 'T', kShortBinString = 'U',
  kBinUnicode = 'X', kShortBinUnicode = 0x8c, kBinUnicode8 = 0x8d,
  kBinBytes = 'B', kShortBinBytes = 'C', kBinBytes8 = 0x8e, kByteArray8 = 0x96,
  kEmptyTuple = ')', kTuple = 't', kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87,
  kEmptyList = ']', kAppend = 'a', kAppends = 'e', kEmptyDict = '}', kSetItem = 's', kSetItems = 'u',
  kEmptySet = 0x8f, kAddItems = 0x90, kFrozenSet = 0x91,
  kGlobal = 'c', kStackGlobal = 0x93, kReduce = 'R', kNewObj = 0x81, kBuild = 'b', kBinPersId = 'Q',
};
// clang-format on

}  // namespace tenon::pickle
