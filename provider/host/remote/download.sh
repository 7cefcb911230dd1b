# shellcheck shell=bash
# An image that the host downloads itself, with its own curl (7.29 on a CentOS 7 dom0) and its own route.

# download_image PATH ALGORITHM BLOCK_BYTES STEP_BLOCKS
# Downloads into PATH/upload, and decompresses on the way. Reads from standard input, a line each: the URL, then the
# headers, then an empty line. This keeps them out of the process list.
# Prints what receive_stream prints; http=STATUS if the server does not send the file; tool=NAME if the host lacks what
# decompresses it; codes=FETCH TEE TOOL RECEIVE, their exit statuses; then file=HEX and image=HEX by ALGORITHM
# (sha256sum or sha512sum), sha256=HEX of the image, image_bytes=BYTES, and no_image=1 if it is neither ISO 9660 nor UDF.
# Status: FOLDER_FAILED, NO_ROOM, DOWNLOAD_FAILED
# Needs: note_writer probe tool_for has_room_beside fetch_all receive_stream
download_image() {
  local url header tool file_sum image_sum sha256 status='' magic='' bytes=0
  local -a headers=()
  umask 077
  cd -- "$1" || return "$FOLDER_FAILED"
  note_writer
  IFS= read -r url
  while IFS= read -r header && [ -n "$header" ]; do headers+=("$header"); done
  probe || return "$DOWNLOAD_FAILED"
  tool=$(tool_for "$magic")
  [ -z "$tool" ] || command -v "$tool" >/dev/null || {
    echo "tool=$tool"
    return "$DOWNLOAD_FAILED"
  }
  if [ -n "$tool" ]; then bytes=0; fi
  has_room_beside "$bytes" || return "$NO_ROOM"

  exec 6>&1
  file_sum=$({
    {
      fetch_all 5>&- | tee /dev/fd/5 | ${tool:-cat} ${tool:+-dc} 5>&- | receive_stream 0 "$3" "$4" 5>&- >&6
      echo "codes=${PIPESTATUS[*]}" >&6
    } 5>&1 | exec "$2"
  })
  image_sum=$(exec nice -n 19 "$2" <upload)
  sha256=$image_sum
  [ "$2" = sha256sum ] || sha256=$(exec nice -n 19 sha256sum <upload)
  printf '%s\n' "file=${file_sum%% *}" "image=${image_sum%% *}" "sha256=${sha256%% *}" \
    "image_bytes=$(exec stat -c %s -- upload)"
  dd if=upload bs=2048 skip=16 count=16 status=none | grep -qaE 'CD001|BEA01|NSR0[23]' || echo no_image=1
}

# fetch CURL_ARGUMENT...
# Requests url with headers; both reach curl on its standard input.
# Needs: escaped
fetch() {
  local header
  {
    printf 'url = "%s"\n' "$(escaped "$url")"
    for header in "${headers[@]}"; do printf 'header = "%s"\n' "$(escaped "$header")"; done
  } | curl -sS --globoff --proto '=http,https' --connect-timeout 30 --speed-limit 1 --speed-time 60 \
    -A pulumi-xen-iso "$@" -K -
}

# escaped TEXT
# Escapes a value for use between quotes in a curl configuration.
escaped() {
  local text=${1//\\/\\\\}
  printf '%s' "${text//\"/\\\"}"
}

# probe
# Follows redirects, and drops the headers at another server. Sets url and headers for the final request, magic to
# the first bytes in hex, and bytes to the length, 0 if the server does not tell it. Prints http=STATUS if the final
# response is not the file.
# Status: not 0 then
# Needs: fetch
probe() {
  local origin=${url%%[?#]*} next answer line location redirects=0
  [[ $url =~ ^https?://[^/?#]+ ]] && origin=${BASH_REMATCH[0]}
  while :; do
    answer=$({ fetch -r 0-9 -D /dev/fd/3 | head -c 10 | od -An -v -tx1; } 3>&1)
    status='' location='' magic='' bytes=0
    while IFS= read -r line; do
      line=${line%$'\r'}
      case $line in
        HTTP/*)
          status=${line#* }
          status=${status%% *}
          location='' bytes=0
          ;;
        [Ll]ocation:*) location=${line#*:} && location=${location# } ;;
        [Cc]ontent-[Ll]ength:*) [ "$status" != 200 ] || bytes=${line##*[: ]} ;;
        [Cc]ontent-[Rr]ange:*/*[0-9]) bytes=${line##*/} ;;
        ' '[0-9a-f]*) magic=${line// /} ;;
      esac
    done <<<"$answer"
    case $status in
      200 | 206) return 0 ;;
      30[12378]) if [ -z "$location" ] || [ $redirects -ge 10 ]; then break; fi ;;
      *) break ;;
    esac
    redirects=$((redirects + 1))
    case $location in
      http://* | https://*) next=$location ;;
      //*) next=${url%%:*}:$location ;;
      /*) next=$origin$location ;;
      *) next=${url%%[?#]*} && next=${next%/*}/$location ;;
    esac
    # Never from an encrypted connection to one that is not.
    case $url:$next in https:*:http://*) break ;; esac
    [[ $next =~ ^https?://[^/?#]+ ]] || break
    [ "${BASH_REMATCH[0]}" = "$origin" ] || headers=()
    origin=${BASH_REMATCH[0]} url=$next
  done
  echo "http=${status:-none}"
  return 1
}

# tool_for MAGIC
# Prints the program that decompresses a file with these first bytes; nothing if it is not compressed.
tool_for() {
  case $1 in
    1f8b08*) echo gzip ;;
    fd377a585a00*) echo xz ;;
    28b52ffd* | 5?2a4d18*) echo zstd ;;
    425a683[1-9]314159265359* | 425a683[1-9]31415926*) echo bzip2 ;;
  esac
}

# fetch_all
# Writes the file to standard output. Continues after a lost connection.
# Status: that of curl
# Needs: fetch
fetch_all() {
  local offset=0 failures=0 got code
  while :; do
    { got=$(fetch -f -C "$offset" -o /dev/fd/4 -w '%{size_download}' 4>&3); } 3>&1
    code=$?
    got=${got%%[.,]*}
    offset=$((offset + ${got:-0}))
    # 7 no connection, 18 and 56 cut, 28 silent, 52 no answer, 55 cannot send.
    case $code in 7 | 18 | 28 | 52 | 55 | 56) ;; *) return $code ;; esac
    if [ "${got:-0}" -gt 0 ]; then failures=0; fi
    failures=$((failures + 1))
    [ $failures -lt 4 ] || return $code
    sleep $failures
  done
}
