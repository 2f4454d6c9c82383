#!/usr/bin/env bash
# K4: fails when code outside the kernels' target sections needs more than baseline x86-64 (SSE2).
#
# Dispatch protects only what lies in a target's own section. One stray compiler flag, or one inline
# function instantiated under a target attribute, puts AVX into ordinary code, which then dies with
# SIGILL on an older CPU. A function is a kernel's when its symbol names the target: Highway's
# namespaces N_AVX2 and the like, or "vnni" for the hand-written unit.
# usage: baseline.sh ARCHIVE [OBJDUMP]
set -euo pipefail

"${2:-objdump}" -d --no-show-raw-insn "$1" | awk '
  /^[0-9a-f]+ <.*>:$/ {
    symbol = $2
    functions++
    kernel = symbol ~ /N_(SSSE3|SSE4|AVX2|AVX3|AVX3_DL|AVX3_ZEN4)/ || tolower(symbol) ~ /vnni/
    if (kernel) kernels++
    next
  }
  !/^ *[0-9a-f]+:\t/ || kernel { next }
  {
    text = $0
    sub(/^ *[0-9a-f]+:\t/, "", text)
    sub(/ *(#|<).*/, "", text)  # comments and symbolic addresses are not operands
    # tzcnt is absent from the list: compilers emit it as "rep bsf", which older CPUs run as bsf
    # with the same result for the arguments it is used with.
    n = split(text, word, /[ \t]+/)
    i = 1
    while (i < n && word[i] ~ /^(lock|rep|repz|repnz|bnd|notrack|data16|cs|ds|es|fs|gs|xacquire|xrelease|rex(\.[WRXB]+)?)$/) i++
    mnemonic = word[i]
    instructions++
    if (text ~ /%[yz]mm[0-9]/ || text ~ /%k[0-7]/ ||
        mnemonic ~ /^v/ && mnemonic !~ /^(verr|verw)$/ ||
        mnemonic ~ /^(addsubp[sd]|hadd|hsub|lddqu|movddup|mov(sh|sl)dup|fisttp|monitor|mwait)/ ||
        mnemonic ~ /^(pshufb|phadd|phsub|pmaddubsw|pmulhrsw|psign[bwd]|palignr|pabs[bwd])/ ||
        mnemonic ~ /^(pblend|blend|dpp[sd]|extractps|insertps|pextr[bdq]|pinsr[bdq])/ ||
        mnemonic ~ /^(pmax[su]d|pmaxsb|pmaxuw|pmin[su]d|pminsb|pminuw|pmov[sz]x|pmuldq|pmulld)/ ||
        mnemonic ~ /^(ptest|round[ps][sd]|movntdqa|mpsadbw|packusdw|phminposuw|pcmpeqq)/ ||
        mnemonic ~ /^(pcmpgtq|pcmp[ei]str|crc32|popcnt|lzcnt|andn[lq]?$|bextr|bls[ir]|blsmsk|bzhi)/ ||
        mnemonic ~ /^(pdep|pext[lq]?$|mulx|rorx|sarx|shlx|shrx|adcx|adox|movbe|aes|pclmul|sha(1|256))/ ||
        mnemonic ~ /^(rdrand|rdseed|cmpxchg16b|gf2p8|clwb|clflushopt|rdpid|prefetchw|xsave|movdir)/) {
      beyond++
      if (symbol != last) printf "%s %s\n", symbol, text
      last = symbol
    }
  }
  END {
    printf "%d functions (%d of kernels), %d instructions outside kernels, %d beyond the baseline\n",
           functions, kernels, instructions, beyond
    exit beyond > 0 || instructions == 0
  }'
