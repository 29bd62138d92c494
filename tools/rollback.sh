#!/usr/bin/env bash
# Remove the video jobs from an AWS account and from a repository; docs/rollback.md explains each step.
set -euo pipefail
shopt -s inherit_errexit
umask 077 # the copy holds what clients sent
export AWS_PAGER="" GIT_OPTIONAL_LOCKS=0

usage() {
  cat << 'USAGE'
Usage: tools/rollback.sh STEP... [--dry-run|--apply] [options]     (docs/rollback.md explains all of them)
  stop, drain, export, delete     --stack NAME --folder DIR [--wait-s N] [--poll-s N] [--leave-rest]
  go-back                         --stack NAME --folder DIR
  purge-bucket, purge-table       --stack NAME --folder DIR [--without-videos]
  code                            [--repo DIR] [--commits OLD..NEW]
USAGE
  exit 2
}

parse() {
  steps=() apply=no stack="" folder="" wait_s=3600 poll_s=15 leave_rest=no commits=""
  repo="$(dirname "${BASH_SOURCE[0]}")" excluded=(--exclude "job_parts/*" --exclude "rollback-export/*")
  while [ $# -gt 0 ]; do
    case "$1" in
      stop | drain | export | delete | go-back | purge-bucket | purge-table | code) steps+=("$1") ;;
      --dry-run) apply=no ;;
      --apply) apply=yes ;;
      --leave-rest) leave_rest=yes ;;
      --without-videos) excluded+=(--exclude "*.mp4") ;;
      --stack | --folder | --wait-s | --poll-s | --repo | --commits)
        printf -v "$(tr - _ <<< "${1#--}")" %s "${2:?value of $1}" && shift ;;
      *) usage ;;
    esac
    shift
  done
  [ ${#steps[@]} -gt 0 ] || usage
}

refuse() {
  if [ "$apply" = no ]; then echo "    --apply would stop here: $1" && return; fi
  echo "Stopped: $1" >&2
  exit 1
}

# Note a change, or its opposite. carry_out prints the changes and, with --apply, makes them.
off() { quoted aws "$@" >> "$work/do"; }
on() { quoted aws "$@" >> "$work/undo"; }

quoted() {
  local word words=()
  for word; do
    if [[ "$word" =~ [^[:alnum:]_./:=,@-] ]]; then word="${word@Q}"; fi
    words+=("$word")
  done
  echo "${words[*]}"
}

carry_out() {
  sed 's/^/    /' "$work/do"
  if [ "$apply" = yes ]; then
    # Only the first run of a step sees how things were before.
    [ ! -s "$work/undo" ] || [ -e "$folder/go-back-$step.sh" ] || cp "$work/undo" "$folder/go-back-$step.sh"
    bash -e "$work/do" > "$work/answer"
  fi
  : > "$work/do"
}

# --- AWS -------------------------------------------------------------------------------------------

read_stack() {
  [ -n "$stack" ] && [ -n "$folder" ] || usage
  local query="StackResourceSummaries[?ResourceStatus!='DELETE_COMPLETE']"
  query+=".[ResourceType,PhysicalResourceId,LogicalResourceId]"
  stack_exists=yes
  aws cloudformation list-stack-resources --stack-name "$stack" --query "$query" --output text \
    > "$work/resources" 2> "$work/error" && { [ "$apply" = no ] || mkdir -p "$folder"; } && return
  grep -q "does not exist" "$work/error" || { cat "$work/error" >&2 && exit 1; }
  stack_exists=no
  cp "$folder/resources.tsv" "$work/resources" # the names, written by export
}

of() { awk -F'\t' -v type="AWS::$1" '$1 == type { print $2 }' "$work/resources"; }
named() { awk -F'\t' -v name="$1" '$3 == name { print $2 }' "$work/resources"; }
add_up() { awk '{ for (i = 1; i <= NF; i++) sum += $i } END { print sum + 0 }'; }

# A limit of 0 answers 429. Routes that read, quote, delete, cancel or end an upload stay open.
step_stop() {
  local api before route limits='{"ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0}'
  api=(--api-id "$(of ApiGatewayV2::Api)" --stage-name "\$default")
  aws apigatewayv2 get-routes "${api[@]:0:2}" --query "Items[].[RouteKey]" --output text \
    | grep -vE '^(GET|DELETE|OPTIONS) |/(cancel|quote|upload/parts|upload/complete)$' > "$work/routes"
  before="$(aws apigatewayv2 get-stage "${api[@]}" --query RouteSettings --output json | tr -d '\n')"
  off apigatewayv2 update-stage "${api[@]}" \
    --route-settings "{$(sed "s/.*/\"&\": $limits/" "$work/routes" | paste -sd,)}"
  on apigatewayv2 update-stage "${api[@]}" --route-settings "${before:-"{}"}"
  while read -r route; do
    grep -qF "\"$route\":" <<< "$before" || on apigatewayv2 delete-route-settings "${api[@]}" --route-key "$route"
  done < "$work/routes"
  carry_out
}

step_drain() {
  local ends_at=$((SECONDS + wait_s)) empty_looks=0 jobs messages
  # Two looks in a row, because a job that ends may still cause a webhook.
  while [ "$empty_looks" -lt 2 ]; do
    jobs="$(count_open_jobs)"
    messages="$(count_messages)"
    echo "    $jobs open jobs, $messages messages"
    if [ "$jobs,$messages" = 0,0 ]; then
      empty_looks=$((empty_looks + 1))
    elif [ "$apply" = no ] || [ "$SECONDS" -ge "$ends_at" ]; then
      [ "$leave_rest" = yes ] || refuse "not empty; run drain again to wait, or add --leave-rest"
      break
    fi
    sleep "$poll_s"
  done
  turn_off_processing
}

count_open_jobs() {
  aws dynamodb scan --table-name "$(named JobsTable)" --consistent-read --select COUNT \
    --filter-expression "#s IN (:p, :r)" --expression-attribute-names '{"#s": "status"}' \
    --expression-attribute-values '{":p": {"S": "pending"}, ":r": {"S": "running"}}' \
    --query Count --output text | add_up
}

count_messages() {
  local kinds=("" NotVisible Delayed)
  of SQS::Queue | xargs -P 4 -I{} aws sqs get-queue-attributes --queue-url {} --query "Attributes.*" \
    --output text --attribute-names "${kinds[@]/#/ApproximateNumberOfMessages}" | add_up
}

# From here on nothing changes jobs that are left.
turn_off_processing() {
  local name reserved
  for name in $(of Lambda::Function); do
    reserved="$(aws lambda get-function-concurrency --function-name "$name" --output text \
      --query ReservedConcurrentExecutions)"
    off lambda put-function-concurrency --function-name "$name" --reserved-concurrent-executions 0
    if [ "$reserved" = None ]; then
      on lambda delete-function-concurrency --function-name "$name" # waiting jobs then start workers
    else
      on lambda put-function-concurrency --function-name "$name" --reserved-concurrent-executions "$reserved"
    fi
  done
  for name in $(of ECS::Service | sed 's|.*:service/||'); do
    off ecs update-service --cluster "${name%/*}" --service "${name#*/}" --desired-count 0
    stop_workers "${name%/*}"
  done
  carry_out
}

# Each worker gives back the job that it holds.
stop_workers() {
  local tasks
  tasks="$(aws ecs list-tasks --cluster "$1" --query "taskArns[]" --output text)"
  for task in $tasks; do off ecs stop-task --cluster "$1" --task "$task"; done
  for task in $tasks; do off ecs wait tasks-stopped --cluster "$1" --tasks "$task"; done
}

step_go_back() {
  local undo
  for undo in "$folder"/go-back-{drain,stop}.sh; do
    [ -e "$undo" ] || continue
    cp "$undo" "$work/do"
    carry_out
    [ "$apply" = no ] || rm "$undo"
  done
}

step_export() {
  local table bucket arn prefix
  table="$(named JobsTable)" bucket="$(of S3::Bucket)" prefix="rollback-export/$(date -u +%Y%m%dT%H%M%SZ)"
  arn="$(aws dynamodb describe-table --table-name "$table" --query Table.TableArn --output text)"
  [ "$apply" = no ] || cp "$work/resources" "$folder/resources.tsv"
  off dynamodb export-table-to-point-in-time --table-arn "$arn" --s3-bucket "$bucket" --s3-prefix "$prefix"
  carry_out
  while aws dynamodb list-exports --table-arn "$arn" --query "ExportSummaries[].ExportStatus" --output text \
    | grep -q IN_PROGRESS; do sleep "$poll_s"; done
  off s3 sync "s3://$bucket/$prefix" "$folder/table" --delete --exact-timestamps --only-show-errors
  off s3 sync "s3://$bucket" "$folder/bucket" --delete --exact-timestamps --only-show-errors "${excluded[@]}"
  carry_out
  check_items
  check_objects
}

# Every item that exists now must be in the copy, with the time of its last change.
check_items() {
  aws dynamodb scan --table-name "$(named JobsTable)" --consistent-read --output text \
    --projection-expression "job_id, updated_at" --query "Items[].[job_id.S, updated_at.S]" > "$work/now"
  : > "$work/copy"
  [ ! -d "$folder/table" ] || find "$folder/table" -path "*/data/*.gz" -exec zcat {} + > "$work/copy"
  echo "    items: $(wc -l < "$work/now") in the table, $(wc -l < "$work/copy") in the copy"
  # A line of the copy holds "job_id":{"S":"VALUE"}, so the value comes four quotation marks after the name.
  awk -F'"' 'FILENAME == ARGV[1] {
      for (i = 2; i < NF; i++) if ($i == "job_id" || $i == "updated_at") copied[$(i + 4)]
      next
    }
    { split($0, now, "\t") } !(now[1] in copied && now[2] in copied)' "$work/copy" "$work/now" > "$work/missing"
  [ ! -s "$work/missing" ] || refuse "$(wc -l < "$work/missing") items are not in the copy; run export again"
}

check_objects() {
  local copy="$folder/bucket"
  [ -d "$copy" ] || copy="$work/none" # sync makes the folder even in a dry run
  aws s3 sync "s3://$(of S3::Bucket)" "$copy" --exact-timestamps --dryrun "${excluded[@]}" \
    > "$work/missing"
  [ ! -s "$work/missing" ] || refuse "$(wc -l < "$work/missing") objects are not in the copy; run export again"
}

step_delete() {
  local name
  check_items
  check_objects
  aws cloudformation get-template --stack-name "$stack" --template-stage Processed --output text \
    --query "TemplateBody.Resources.[JobsTable.DeletionPolicy, MediaBucket.DeletionPolicy]" > "$work/policies"
  [ "$(grep -o Retain "$work/policies" | wc -l)" = 2 ] \
    || refuse "table or bucket would be deleted, too; deploy with DeletionPolicy: Retain first"
  off cloudformation delete-stack --stack-name "$stack"
  # By force: the stack would wait for machines that are protected from scale-in.
  for name in $(of AutoScaling::AutoScalingGroup); do
    off autoscaling delete-auto-scaling-group --auto-scaling-group-name "$name" --force-delete
  done
  off cloudformation wait stack-delete-complete --stack-name "$stack"
  carry_out
}

step_purge_table() {
  check_items
  off dynamodb delete-table --table-name "$(named JobsTable)"
  carry_out
}

step_purge_bucket() {
  local bucket versions="{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}, Quiet: \`true\`}"
  bucket="$(of S3::Bucket)"
  check_objects
  while aws s3api list-object-versions --bucket "$bucket" --max-items 1000 --query "$versions" \
    --output json > "$work/versions" && [ "$apply" = yes ] && grep -q VersionId "$work/versions"; do
    off s3api delete-objects --bucket "$bucket" --delete "file://$work/versions"
    carry_out
    ! grep Message "$work/answer" || refuse "S3 did not delete these objects"
  done
  off s3api delete-bucket --bucket "$bucket"
  carry_out
}

# --- code ------------------------------------------------------------------------------------------

step_code() {
  cd "$(git -C "$repo" rev-parse --show-toplevel)"
  find_commits
  [ -z "$(git status --porcelain --untracked-files=no)" ] || refuse "tracked files have changes; commit them first"
  changes --diff-filter=D --name-only -z | xargs -0r git --literal-pathspecs ls-files -z -- > "$work/delete"
  changes --diff-filter=d --binary > "$work/patch"
  tr '\0' '\n' < "$work/delete" | sed 's/^/    delete /'
  changes --diff-filter=d --name-only | sed 's/^/    revert /'
  sed 's/^/        /' "$work/patch"
  [ ! -s "$work/patch" ] || git apply --cached --check "$work/patch" \
    || refuse "these files were changed in the same lines since; take the project's lines out by hand and commit"
  if [ "$apply" = yes ]; then remove_files; fi
}

# A merge or a single commit is found by the file that it brought.
find_commits() {
  local came
  if [ -z "$commits" ]; then
    came="$(git log -1 --first-parent -m --diff-filter=A --format=%H -- "*common/python/video_jobs/__init__.py")"
    commits="$came^..$came"
  fi
  git rev-parse --quiet --verify "${commits%..*}^{commit}" > /dev/null && return
  echo "The history does not show what was there before the project; name --commits OLD..NEW" >&2
  exit 1
}

# From NEW back to OLD, so that git calls the project's own files deleted.
changes() {
  git -c core.quotePath=false diff --no-renames --no-ext-diff --no-textconv --src-prefix=a/ --dst-prefix=b/ \
    "$@" "${commits#*..}" "${commits%..*}"
}

remove_files() {
  git update-index -q --refresh
  [ ! -s "$work/patch" ] || git apply --index --whitespace=nowarn "$work/patch"
  xargs -0r git --literal-pathspecs rm --quiet -- < "$work/delete" \
    || { git reset --quiet --hard && refuse "a file could not be deleted; everything is as it was"; }
  git grep -nI -e video_jobs -e video_worker | sed 's/^/    edit by hand: /' || true
}

main() {
  parse "$@"
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  for step in "${steps[@]}"; do
    echo "[$step]"
    : > "$work/do"
    : > "$work/undo"
    [ "$step" = code ] || read_stack
    case "$step-${stack_exists:-}" in
      stop-no | drain-no | delete-no | go-back-no) echo "    the stack $stack is gone" ;;
      purge*-yes) refuse "the stack $stack still exists; delete it first" ;;
      *) "step_${step//-/_}" ;;
    esac
  done
}

main "$@"
exit
