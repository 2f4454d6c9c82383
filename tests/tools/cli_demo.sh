# vicinal demo: what it is given that its own word list does not have, and that it stops when asked to.
. "$(dirname "$0")/cli.sh"

awk 'BEGIN { srand(1); for (i = 0; i < 1200; ++i) { w = ""; for (j = 0; j < 7; ++j) w = w sprintf("%c", 97 + rand() * 26)
             print w i } }' > words
run 0 demo --words words --store kept
says out "all as it should be"
run 0 validate --store kept --deep

# A store with anything in it is no place for a demo, and is left as it was.
random_jsonl 5 3 1 1 > rows.jsonl
run 0 import --store used --index mine rows.jsonl
run 0 list --store used
mv out before
run 1 demo --words words --store used
says err 'holds 1 indexes already, "mine" the first'
run 0 list --store used
same out before
run 1 demo --words words --store kept
says err '"words" the first'

# More words of the same n-grams than an answer has room for, and no word but possessives.
{ cat words; awk 'BEGIN { w = "aaaa"; for (i = 0; i < 200; ++i) { w = w "a"; print w } }'; } > alike
run 0 demo --words alike
sed "s/\$/'s/" words > possessives
run 0 demo --words possessives
head -999 words > few
run 1 demo --words few
says err "999 words, the demo wants 1,000"

# Ctrl-C in the midst: no step after it.
"$vicinal" demo --words words > out 2> err < /dev/null &
demo=$!
until grep -q "Stream" out || ! kill -0 $demo 2> /dev/null; do sleep 0.005; done
kill -INT $demo
wait $demo
[ $? = 1 ] || fail "an interrupted demo is not 1"
says err "interrupted"
if grep -q "Validate" out; then fail "it went on"; fi
finish
