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
if command -v gnuplot >/dev/null; then [ -s plot.svg ] || fail "no plot"; fi
"$report" doc.md >out 2>err </dev/null && fail "takes a file that is no result"
says err "not Google Benchmark's JSON"
finish
