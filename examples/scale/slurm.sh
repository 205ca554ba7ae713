#!/bin/sh
# An index in parts as an array job of Slurm, on a folder that all nodes see. Each task encodes its
# rows; a task that is started again writes the same file.
#
#     sbatch examples/scale/slurm.sh SET N          trains, then submits the other steps
set -eu
obliq=${OBLIQ:-obliq}
set_file=$1
n=$2
parts=${PARTS:-64}
step=${3:-train}

case $step in
  train)
    "$obliq" train "$set_file" --preset fast -o model.obliq
    encode=$(sbatch --parsable --array="0-$((parts - 1))" "$0" "$set_file" "$n" encode)
    sbatch --dependency="afterok:$encode" "$0" "$set_file" "$n" merge
    ;;
  encode)
    "$obliq" encode model.obliq "$set_file" -o "part$SLURM_ARRAY_TASK_ID.obliq" \
      --rows "$((n * SLURM_ARRAY_TASK_ID / parts)):$((n * (SLURM_ARRAY_TASK_ID + 1) / parts))"
    ;;
  merge)
    "$obliq" merge model.obliq part*.obliq -o index.obliq
    ;;
esac
