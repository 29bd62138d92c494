#!/usr/bin/env bash
# Take the video jobs out of an AWS account and out of a repository; docs/rollback.md explains each step.
set -euo pipefail

usage() {
  cat << 'USAGE'
Usage: tools/rollback.sh --dry-run|--apply|--go-back [options]

  --dry-run                print every step, change nothing
  --apply                  do it; run again after a stop, it goes on
  --go-back                turn everything on again, as long as the stack is there
  --only PART              code, infrastructure or data; without it all three
Code
  --repo DIR               checkout to take the code out of (default: this one)
  --allow-dirty            although tracked files have changes; listed files with changes are still refused
  --brought-by COMMIT      the commit that brought the feature (default: found in the history)
Infrastructure and data
  --stack NAME             the CloudFormation stack
  --export-to DIR          where open jobs, messages and the record go, and the export
  --open-jobs wait|export  after the wait: stop here (default), or write open jobs down and go on
  --wait-s N, --poll-s N   longest wait for jobs and messages (3600), pause between looks (5)
  --data keep|export|purge keep bucket and table (default), copy them, or delete them
  --with-videos            copy the videos, too, not only results
  --yes-delete-everything  what --data purge asks for
USAGE
}

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
MANIFEST="$ROOT/tools/rollback/manifest.txt"
ARRIVED_WITH=layers/common/python/video_jobs/__init__.py
export LC_ALL=C GIT_OPTIONAL_LOCKS=0

refuse() {
  echo "Refused: $1" >&2
  exit 2
}

parse() {
  mode="" only="" repo="$ROOT" brought_by="" allow_dirty=""
  aws_options=()
  while [ $# -gt 0 ]; do
    case "$1" in
      --dry-run | --apply | --go-back | --refresh-manifest)
        [ -z "$mode" ] || refuse "$mode and $1 at once"
        mode="${1#--}"
        ;;
      --only) only="${2:?PART}" && shift ;;
      --repo) repo="${2:?DIR}" && shift ;;
      --brought-by) brought_by="${2:?COMMIT}" && shift ;;
      --allow-dirty) allow_dirty=yes ;;
      --help) usage && exit ;;
      *) aws_options+=("$1") ;; # checked by tools/rollback/__main__.py
    esac
    shift
  done
  case "$mode" in "") usage >&2 && exit 2 ;; esac
  case "$only" in "" | code | infrastructure | data) ;; *) refuse "--only $only" ;; esac
  if [ "$only" = code ] && [ ${#aws_options[@]} -gt 0 ]; then
    refuse "${aws_options[0]} has no meaning with --only code"
  fi
}

# --- infrastructure and data -----------------------------------------------------------------------

aws_part() {
  local python="${PYTHON:-$ROOT/.venv/bin/python}"
  [ -n "${PYTHON:-}" ] || [ -x "$python" ] || python=python3
  # -P: a folder `tools` where this is called from is not ours.
  PYTHONPATH="$ROOT:$ROOT/layers/common/python" "$python" -P -m tools.rollback "$mode" \
    ${only:+--only "$only"} ${aws_options[@]+"${aws_options[@]}"}
}

# --- code ------------------------------------------------------------------------------------------

# Looks only: on a copy of the index, as git refreshes it even when it is asked for a difference.
git_in() { GIT_INDEX_FILE="$work/index" git -C "$repo" -c core.quotePath=false "$@"; }

git_change() { git -C "$repo" "$@"; }

listed() { sed -n "s/^$1 //p" "$MANIFEST" | sort; }

copy_index() {
  local index
  index="$(git_change rev-parse --git-path index 2> /dev/null)" || refuse "$repo is no git checkout"
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  (cd "$repo" && cp "$index" "$work/index")
  git_in update-index -q --refresh > /dev/null || true # it also says what has changed
}

# Writes the lists that all steps use into $work: they must outlive the manifest, which is removed, too.
make_lists() {
  git_in ls-files | sort > "$work/tracked"
  listed remove > "$work/remove"
  find_before
  comm -12 "$work/remove" "$work/before" > "$work/had"
  listed revert | sort -u - "$work/had" > "$work/revert"
  comm -23 "$work/remove" "$work/had" | comm -12 - "$work/tracked" > "$work/delete"
  comm -23 "$work/tracked" "$work/delete" > "$work/rest"
  keep_package_markers
}

# What the repository held before the feature came: nothing where the history does not say.
find_before() {
  if [ -z "$brought_by" ]; then
    brought_by="$(git_in log -1 --first-parent -m --diff-filter=A --format=%H -- "$ARRIVED_WITH")"
  fi
  before=""
  if [ -n "$brought_by" ]; then
    brought_by="$(git_in rev-parse --verify --quiet "$brought_by^{commit}")" || refuse "no such commit"
    before="$(git_in rev-parse --verify --quiet "$brought_by^1" || true)"
  fi
  : > "$work/before"
  [ -z "$before" ] || git_in ls-tree -r --name-only "$before" | sort > "$work/before"
}

# An __init__.py makes a package of whatever else lies in its folder.
keep_package_markers() {
  : > "$work/kept"
  local marker
  { grep '__init__\.py$' "$work/delete" || true; } | while read -r marker; do
    if starts_one_of "${marker%__init__.py}" "$work/rest"; then echo "$marker"; fi
  done > "$work/kept"
  comm -23 "$work/delete" "$work/kept" > "$work/delete.new"
  mv "$work/delete.new" "$work/delete"
  comm -23 "$work/tracked" "$work/delete" > "$work/rest"
}

starts_one_of() { awk -v start="$1" 'index($0, start) == 1 { found = 1; exit } END { exit !found }' "$2"; }

# The feature's part of a file, backwards; empty where it brought none.
patch_of() {
  [ -z "$before" ] || git_in diff --binary --no-ext-diff --no-textconv --src-prefix=a/ --dst-prefix=b/ \
    "$brought_by" "$before" -- "$1"
}

applies() { git_in apply --check "$@" > /dev/null 2>&1; }

# Whether a file is already as it would be after `revert`.
is_reverted() { [ -n "$(patch_of "$1")" ] && patch_of "$1" | applies --reverse; }

check_clean() {
  local state path dirty=""
  while IFS=$'\t' read -r state path; do
    if [ "$state" = D ] && grep -qxF -- "$path" "$work/remove"; then continue; fi # an earlier run
    if grep -qxF -- "$path" "$work/revert" && is_reverted "$path"; then continue; fi
    dirty+=" $path"
  done < <(git_in diff --no-renames --name-status --relative HEAD -- .)
  if [ -z "$dirty" ] || [ -n "$allow_dirty" ]; then return; fi
  [ "$mode" = dry-run ] || refuse "tracked files have changes (commit them, or --allow-dirty):$dirty"
  echo "    --apply would be refused, tracked files have changes:$dirty"
}

revert_files() {
  local path
  : > "$work/taken_back"
  while read -r path; do
    if [ -z "$(patch_of "$path")" ] || is_reverted "$path"; then continue; fi
    if patch_of "$path" | applies --index; then
      echo "    take $path back to what it was before ${brought_by:0:12}"
      echo "$path" >> "$work/taken_back"
      [ "$mode" = dry-run ] || patch_of "$path" | git_change apply --index
    elif grep -qxF -- "$path" "$work/tracked"; then
      echo "    by hand: $path was changed since ${brought_by:0:12}"
    fi
  done < "$work/revert"
}

# Folder by folder; the rollback itself goes last, so that it can go on after a stop.
delete_files() {
  local group
  awk -F/ '{ print (/^tools\/rollback/ ? "tools/rollback" : $1) "\t" $0 }' "$work/delete" > "$work/grouped"
  cut -f1 "$work/grouped" | sort -u > "$work/groups"
  while read -r group; do
    awk -F'\t' -v group="$group" '$1 == group { print $2 }' "$work/grouped" > "$work/group"
    echo "    remove $group"
    sed 's/^/        /' "$work/group"
    [ "$mode" = dry-run ] || tr '\n' '\0' < "$work/group" | xargs -0 git -C "$repo" rm --quiet --
  done < "$work/groups"
}

# What is gone by name, in files that stay.
name_mentions() {
  awk -F/ '{ print (NF > 1 ? $1 "/" $2 : $1) }' "$work/remove" | sort -u | while read -r name; do
    starts_one_of "$name" "$work/rest" || printf '%s\n' "$name" "${name//\//.}"
  done > "$work/names"
  printf '%s\n' video_jobs video_worker >> "$work/names"
  comm -23 "$work/rest" "$work/taken_back" | tr '\n' '\0' \
    | (cd "$repo" && xargs -0 grep -nIHF -f "$work/names" -- 2> /dev/null || true) > "$work/mentions"
  [ -s "$work/mentions" ] || return 0
  echo "    by hand: still named in"
  sed 's/^/        /' "$work/mentions"
}

code_part() {
  copy_index
  make_lists
  local origin="its history does not say what was there before the feature"
  [ -z "$before" ] || origin="the feature came with ${brought_by:0:12}"
  echo "Code in $repo: $origin"
  check_clean
  [ "$mode" = dry-run ] || git_change update-index -q --refresh > /dev/null || true
  revert_files
  delete_files
  sed 's|.*|    & stays: other files lie beside it|' "$work/kept"
  name_mentions
  [ -s "$work/delete" ] || echo "    nothing to remove"
}

refresh_manifest() {
  copy_index
  { grep -v '^remove ' "$MANIFEST" && new_files; } > "$work/manifest"
  cp "$work/manifest" "$MANIFEST"
}

new_files() {
  git_in ls-files --cached --others --exclude-standard --deduplicate | sort \
    | comm -23 - <(sed -n 's/^\(stay\|revert\) //p' "$MANIFEST" | sort) \
    | while read -r path; do [ ! -e "$ROOT/$path" ] || echo "remove $path"; done
}

main() {
  parse "$@"
  if [ "$mode" = refresh-manifest ]; then
    refresh_manifest
    return
  fi
  if [ "$mode" = go-back ] && [ "$only" = code ]; then
    refuse "the code comes back with: git restore --source=HEAD --staged --worktree ."
  fi
  [ "$only" = code ] || aws_part
  case "$mode-$only" in go-back-* | *-infrastructure | *-data) return ;; esac
  code_part
}

main "$@"
exit
