#include "tenon/tensor.h"
int main() {
  return 0;
}
