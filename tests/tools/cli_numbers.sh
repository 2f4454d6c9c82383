# A1, A2: every option and argument that is a number reads decimal digits in its range and nothing else; no
# mistake of a script becomes a number, and nothing is done before all of them are read.
bench=$2
. "$(dirname "$0")/cli.sh"

random_jsonl 50 4 1 > base.jsonl
run 0 import --store s base.jsonl
run 0 stats --store s --json
mv out before

# refused PROGRAM VALUE ARGUMENTS...: a usage error whose message has the value and the range.
refused() {
  local program=$1 value=$2
  shift 2
  "$program" "$@" > out 2> err < /dev/null
  local got=$?
  [ "$got" -ge 100 ] || fail "exit code $got, not a usage error: $*"
  grep -qE -- "(is not a whole number from [0-9]+ to [0-9]+|is not a number from .* to )" err ||
    fail "no range in the message: $*"
  says err "\"$value\""
}

wrong=("" " " "-1" "+5" " 5" "5 " "0x10" "1e3" "5.0" "5,6" "five" "99999999999999999999" "18446744073709551616"
  $'\xef\xbb\xbf5' "٥" "5;6" "1_000" "inf" "nan")

# Labels: erase and get.
for value in "${wrong[@]}"; do
  refused "$vicinal" "$value" erase --store s "$value"
  refused "$vicinal" "$value" erase --store s 7 "$value"
  refused "$vicinal" "$value" erase --store s -- 7 "$value"
  refused "$vicinal" "$value" get --store s "$value"
done
refused "$vicinal" "[1,2]" erase --store s "[1,2]"
refused "$vicinal" "[]" erase --store s -- "[]"
run 0 stats --store s --json
same out before

# Zeros may lead, and are not octal.
run 0 get --store s 010 --json
says out '"label":10,'
run 0 get --store s 0 --json
says out '"label":0,'

# options_refused PROGRAM < OPTIONS: each of its options with the next four of them.
at=0
options_refused() {
  local program=$1 option command value end
  while read -r option command; do
    for ((end = at + 4; at < end; ++at)); do
      value=${wrong[at % ${#wrong[@]}]}
      [ "$value" = "5,6" ] && [ "$option" = --ef ] && continue
      refused "$program" "$value" $command "$option" "$value"
    done
  done
}
options_refused "$vicinal" << 'OPTIONS'
--label search --store s
-k search --store s --label 1
--threads search --store s --label 1
--ef search --store s --label 1
--label dump --store s graph
--depth dump --store s graph --label 1
--first-label import --store s base.jsonl
--dimension import --store s base.jsonl
--M import --store s base.jsonl
--ef-construction import --store s base.jsonl
--seed import --store s base.jsonl
--threads import --store s base.jsonl
--batch import --store s base.jsonl
--samples recall --store s
-k recall --store s
--ef recall --store s
--seed recall --store s
--threads recall --store s
--slice repair --store s
--messages validate --store s
--threads rebuild --store s
--threads demo
OPTIONS
options_refused "$bench" << 'OPTIONS'
-k build --base b --query q --truth t
--ef build --base b --query q --truth t
--M build --base b --query q --truth t
--ef-construction build --base b --query q --truth t
--threads build --base b --query q --truth t
--seed build --base b --query q --truth t
--preload insert --base b
--extra insert --base b --preload 1
--preload rebuild --base b
--batch rebuild --base b --preload 1
-k truth --base b --query q --out o
--threads truth --base b --query q --out o
--live churn --base b
--rounds churn --base b --live 1
--held-out churn --base b --live 1
--writers churn --base b --live 1
--searchers churn --base b --live 1
--repair-slice churn --base b --live 1
-k churn --base b --live 1
--ef churn --base b --live 1
--churn-seed churn --base b --live 1
--queries live --base b --query q
--preload live --base b --query q
--ef live --base b --query q
-k live --base b --query q
--live-seed live --base b --query q
OPTIONS
refused "$bench" "" build --base b --query q --truth t --ef 10,,20
refused "$bench" " 20" build --base b --query q --truth t --ef "10, 20"

# Real numbers.
for value in "" " " "+1" " 1" "1 " "0x1" "one" "inf" "nan" "1e400" "1e39" "--1" "1,5"; do
  refused "$vicinal" "$value" search --store s --label 1 --radius "$value"
done
for option in --fraction --seconds --longest --write-share; do
  command="live --base b --query q"
  [ "$option" = --fraction ] && command="churn --base b --live 1"
  for value in "" "+1" " 1" "0x1" "one" "inf" "nan" "1e400" "-0.5"; do
    refused "$bench" "$value" $command "$option" "$value"
  done
done
run 0 search --store s --label 1 --radius 1e-3
run 0 search --store s --label 1 --radius -0.5

# Flags take no value.
for value in 7 0 yes false; do
  "$vicinal" stats --store s --json=$value > out 2> err
  [ $? -ge 100 ] || fail "--json=$value is taken"
done

# Ranges are said.
refused "$vicinal" 3 import --store s base.jsonl --M 3
says err "from 4 to 64"
refused "$vicinal" 9 dump --store s graph --format dot --label 1 --depth 9
says err "from 0 to 8"
refused "$vicinal" 4097 rebuild --store s --threads 4097
says err "from 0 to 4096"

# An empty text is no text, and what follows `--name=` is not its value.
empty() {
  "$vicinal" "$@" > out 2> err < /dev/null
  [ $? -ge 100 ] || fail "an empty text is taken: $*"
  says err "empty"
}
empty erase --store s --labels "" 7
empty erase --store s --labels= 7
empty erase --store "" 7
empty search --store s --query= --exact
empty search --store s --label= 7
empty dump --store s vectors --out ""
"$vicinal" erase --store s --index "" 7 > out 2> err
[ $? -ge 100 ] || fail "an empty index name is taken"
says err "no name of an index"
run 0 stats --store s --json
same out before
finish
