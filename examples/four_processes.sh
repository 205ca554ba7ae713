#!/bin/sh
# An index made by four processes, with the command line alone. One process learns a model; four
# encode a quarter of the base each, side by side; one merges their segments. On several machines
# the steps are the same: copy the model to each, and the segments back. The last line compares the
# index, byte by byte, with that of a single build.
#
#     examples/four_processes.sh [OBLIQ [SET]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
obliq=${1:-obliq}
set_file=${2:-$here/../datasets/sample/sample-384-angular.hdf5}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Rows of the base: a segment takes a quarter.
"$obliq" train "$set_file" --preset fast -o model.obliq
n=$("$obliq" info model.obliq --json | sed 's/.*"n":\([0-9]*\).*/\1/')

processes=
for part in 0 1 2 3; do
  "$obliq" encode model.obliq "$set_file" --threads 1 -o "part$part.obliq" \
      --rows "$((n * part / 4)):$((n * (part + 1) / 4))" &
  processes="$processes $!"
done
for process in $processes; do wait "$process"; done

# In any order.
"$obliq" merge model.obliq part2.obliq part0.obliq part3.obliq part1.obliq -o merged.obliq

"$obliq" build "$set_file" --preset fast -o whole.obliq
cmp merged.obliq whole.obliq
echo "the same file"
