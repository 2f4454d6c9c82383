# vicinal-bench-kernels covers what it should, and its report has a table and the counters.
bench=$2
report=$3
. "$(dirname "$0")/../tools/cli.sh"

# Names only: nothing is measured, no memory is touched.
"$bench" --benchmark_list_tests >out 2>err </dev/null || fail "exit code $?: $(cat err)"
targets=$("$vicinal" cpu --json | sed -n 's/.*"name":"\([^"]*\)","supported":true.*/\1/p')
[ -n "$targets" ] || fail "no targets"
for target in plain $targets; do
  for dimension in 96 128 300 384 512 768 1024 1536; do
    for place in L1 L2 scattered; do
      grep -q "/$target/$dimension/$place\$" out || fail "no $target/$dimension/$place"
    done
  done
done

"$bench" --benchmark_filter='^(dot_f32|distance_i8_many)/[^/]*/(96|384)/L1$' \
  --benchmark_min_time=0.001 --benchmark_out=out.json --benchmark_out_format=json \
  --benchmark_context=commit=abc >out 2>err </dev/null || fail "exit code $?: $(cat err)"
"$report" out.json --markdown doc.md --svg plot.svg >out 2>err </dev/null ||
  fail "exit code $? of the report"
cp doc.md out
says out "## dot_f32"
says out "| commit | abc |"
grep -qE '^\| 384 \| [0-9.]+; [0-9.]+; ([0-9.]+; )?[0-9]+ % \|' doc.md || fail "no row of 384"
# A ceiling is measured again beside every kernel: no share is far above it.
grep -q '"ceiling_GB_per_s"' out.json || fail "no ceilings"
grep -oE '[0-9]+ % \|' doc.md | awk '$1 > 120 { exit 1 }' || fail "a share far above 100 %"

# One cell of a record of before, whose share is 1.25.
printf '%s' '{"context":{},"benchmarks":[{"name":"dot_f32/avx2/96/L1","time_per_row":1e-9,
  "GB_per_s":50.0,"load_share":1.25}]}' >above.json
"$report" above.json >out 2>err </dev/null || fail "exit code $? of a share above 100 %"
says out "**1 of 1 shares are above 100 %, the highest is 125 %.**"
says out "In this record a ceiling was measured once"
# Of several ceilings of the same rows the best counts, for all.
cell() {
  printf '{"name":"%s/avx2/96/L1","time_per_row":1e-9,"GB_per_s":%s,"load_share":%s,' "$1" "$2" "$3"
  printf '"ceiling_GB_per_s":%s,"ceiling_load_bytes":32.0,"row_bytes":384.0}' "$4"
}
printf '{"context":{},"benchmarks":[%s,%s]}' "$(cell dot_f32 50.0 1.25 40.0)" \
  "$(cell norm_f32 80.0 0.8 100.0)" >best.json
"$report" best.json >out 2>err </dev/null || fail "exit code $? of two ceilings"
says out "| 96 | 1.0; 50.0; 50 % |"
says out "| 96 | 1.0; 80.0; 80 % |"
grep -q 'above 100' out && fail "shares of the best ceiling are above it"

# Nothing that matches is an error, of the program and of the report.
"$bench" --benchmark_filter='^none$' --benchmark_out=none.json --benchmark_out_format=json \
  >out 2>err </dev/null && fail "a filter that matches nothing ends well"
echo '{"context":{},"benchmarks":[]}' >none.json
"$report" none.json --markdown doc.md >out 2>err </dev/null && fail "takes a file of no benchmarks"
says err "none.json: 0 benchmarks"
VICINAL_BENCH_COMMAND="k --filter '(a|b){1,2}=x'" "$bench" --benchmark_filter='^dot_f32/[^/]*/96/L1$' \
  --benchmark_min_time=0.001 --benchmark_out=command.json --benchmark_out_format=json \
  >out 2>err </dev/null || fail "exit code $? with a command: $(cat err)"
"$report" command.json >out 2>err </dev/null
says out "| command | \`k --filter '(a\|b){1,2}=x'\` |"

if command -v gnuplot >/dev/null; then [ -s plot.svg ] || fail "no plot"; fi
"$report" doc.md >out 2>err </dev/null && fail "takes a file that is no result"
says err "not Google Benchmark's JSON"
finish
