"""The shell text that every exchange builds on: POSIX, with the programs of a GNU system.

`_ry_run SECONDS COMMAND...` runs a command. `_ry_part OFFSET LIMIT` reads a part of the next file of those
that the function `_ry_files` of the exchange names: it calls a function with all of them but for the first
few. What is known of them comes from `_ry_look`, which looks at all that are still to be read: starting a
program for each would take longer than the line. Where nothing new was seen of a file, it looks again if
another one was read since: no part is older than those before it. So it does where a file has come meanwhile.
`_ry_fetch BYTES` sends whole files that are smaller, whose names it reads, as one archive.
"""

PREAMBLE = rb"""
for _ry in $(env | sed -n 's/^\(\(SQUEUE\|SBATCH\|SACCT\|SCANCEL\|SINFO\|SLURM\)_[A-Z0-9_]*\)=.*/\1/p'); do
  [ "$_ry" = SLURM_CONF ] || unset "$_ry"
done
command -v squeue >/dev/null 2>&1 || {
  _ry=$(timeout -k 1 10 "${SHELL:-/bin/sh}" -lc 'printf "\n@PATH=%s\n" "$PATH"' </dev/null 2>/dev/null |
    sed -n '/^@PATH=/{s///p;q;}')
  [ -z "$_ry" ] || PATH=$_ry
}
unset _ry _ry_absent _ry_call _ry_code _ry_coded _ry_failed _ry_from _ry_line _ry_mode _ry_nonce
unset _ry_number _ry_old _ry_path _ry_rest _ry_size _ry_skip _ry_stop
LC_ALL=C SLURM_TIME_FORMAT=standard
export PATH LC_ALL SLURM_TIME_FORMAT
cd /
_ry_line='
'
_ry_mark() {
  printf '\n@%s %s\n' "$_ry_nonce" "$1"
  printf '\n@%s %s\n' "$_ry_nonce" "$1" >&2
}
_ry_run() {
  if [ "$_ry_stop$_ry_failed" = 11 ]; then
    _ry_mark none
    return
  fi
  if [ "$_ry_coded" = 1 ]; then
    base64 -d | timeout -k 5 "$@"
  else
    timeout -k 5 "$@"
  fi
  _ry_code=$?
  [ "$_ry_code" = 0 ] || _ry_failed=1
  _ry_mark "$_ry_code"
}
_ry_unrun() {
  if [ "$_ry_stop$_ry_failed" = 11 ]; then
    _ry_mark none
    return
  fi
  _ry_failed=1
  _ry_mark 126
}
_ry_stat() {
  stat -L -c '%n
%f %s' -- "$@"
}
_ry_name() {
  _ry_path=$1
}
_ry_look() {
  _ry_rest=$(_ry_files _ry_stat "$_ry_number" 2>/dev/null)$_ry_line _ry_absent='' _ry_old=0
}
_ry_find() {
  _ry_mode='' _ry_size=0 _ry_from=0
  [ "${_ry_rest%%"$_ry_line"*}" = "$1" ] || return
  _ry_rest=${_ry_rest#*"$_ry_line"}
  _ry_mode=${_ry_rest%%"$_ry_line"*}
  _ry_rest=${_ry_rest#*"$_ry_line"}
  _ry_size=${_ry_mode#* } _ry_mode=${_ry_mode% *} _ry_from=$2
  [ "$_ry_from" -ge 0 ] || _ry_from=$((_ry_size + _ry_from))
  [ "$_ry_from" -ge 0 ] || _ry_from=0
}
_ry_part() {
  _ry_files _ry_name "$_ry_number"
  set -- "$_ry_path" "$1" "$2"
  _ry_find "$1" "$2"
  if { [ -z "$_ry_mode" ] && [ -e "$1" ]; } ||
    { [ "$_ry_old" = 1 ] && [ "$_ry_from" -ge "$_ry_size" ]; }; then
    _ry_look
    _ry_find "$1" "$2"
  fi
  if [ -z "$_ry_mode" ]; then
    [ -n "$_ry_absent" ] || _ry_absent=$(_ry_files _ry_stat "$_ry_number" 2>&1 >/dev/null)$_ry_line
    case $_ry_absent in
    *"'$1': No such file or directory$_ry_line"* | *"'$1': Not a directory$_ry_line"*) _ry=none ;;
    *)
      _ry=$(stat -L -- "$1" 2>&1 >/dev/null)
      _ry=${_ry##*: }
      _ry="none ${_ry:-it could not be looked at}" ;;
    esac
    printf '\n@%s %s\n' "$_ry_nonce" "$_ry"
    _ry_number=$((_ry_number + 1))
    return
  fi
  _ry_number=$((_ry_number + 1))
  [ -r "$1" ] || _ry_mode=closed
  printf '\n@%s %s %s %s\n' "$_ry_nonce" "$_ry_mode" "$_ry_from" "$_ry_size"
  case $_ry_mode in 8???)
    if [ "$_ry_from" -lt "$_ry_size" ]; then
      tail -c "+$((_ry_from + 1))" -- "$1" | head -c "$3"
      _ry_old=1
    fi ;;
  esac
}
_ry_fetch() {
  tr '\n' '\000' |
    xargs -0 -r sh -c '_ry=$1; shift; exec find -L "$@" -prune -type f -size "-${_ry}c" -print0' sh "$1" |
    tar -chPf - --no-recursion --hard-dereference --ignore-failed-read --null -T -
  _ry_mark "$?"
}
"""
"""What a shell is told when it is opened: its environment, and what an exchange is made of.

Where this shell knows no squeue, the user's login shell may: sites put SLURM into the path there.
"""
