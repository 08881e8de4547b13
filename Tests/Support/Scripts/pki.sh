#!/bin/bash
# Makes the certificates that tests use, with the openssl command and nothing else.
#   pki.sh all FOLDER                           the whole set, in a folder that must not exist
#   pki.sh issue FOLDER INTO NAME [SETTING=…]…  one more certificate in INTO, by an authority of FOLDER or INTO; settings are below
# For each NAME there are then
#   NAME.pem NAME.key      the certificate alone, and its key without a password
#   NAME.chain.pem         the certificate and the authorities below the root, as a server sends them
#   NAME.full.pem          the same with the root
#   NAME.all.pem           key and chain in one file, as qmail keeps its clientcert.pem and servercert.pem
#   NAME.der NAME.spki     the certificate and its public key in DER, which fingerprints and TLSA records are taken from
# and `sums` has lines `ALGORITHM DIGEST NAME.der` and `ALGORITHM DIGEST NAME.spki`.
set -euo pipefail
umask 077
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'pki.sh: %s\n' "$*" >&2
  exit 1
}

# openssl is silent about what went well.
run() {
  local said
  said=$(openssl "$@" 2>&1) || fail "openssl $*: $said"
}

# A day some days from now, as openssl takes it.
day() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }

# Makes NAME's key and request. $1: where, $2: the kind of key, $3: the subject.
request() {
  local base=$1 kind=$2 subject=$3 options
  case $kind in
    rsa*) options=(-newkey "rsa:${kind#rsa}") ;;
    p256 | p384) options=(-newkey ec -pkeyopt "ec_paramgen_curve:P-${kind#p}") ;;
    ed25519) options=(-newkey ed25519) ;;
    *) fail "no kind of key: $kind" ;;
  esac
  printf '[req]\ndistinguished_name = name\n[name]\n' >"$base.conf"
  run req -new -nodes -config "$base.conf" "${options[@]}" -keyout "$base.key" -subj "$subject" -utf8 -out "$base.csr"
}

# The extensions of a certificate: section [all] of openssl's configuration.
extensions() {
  local usage=$1 authority=$2 names=$3 alternatives name number=0
  echo '[all]'
  echo 'subjectKeyIdentifier = hash'
  case $authority in
    no) printf 'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\n' ;;
    yes) printf 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n' ;;
    yes:*) printf 'basicConstraints = critical, CA:TRUE, pathlen:%s\nkeyUsage = critical, keyCertSign, cRLSign\n' "${authority#yes:}" ;;
  esac
  case $usage in
    server) echo 'extendedKeyUsage = serverAuth' ;;
    client) echo 'extendedKeyUsage = clientAuth' ;;
    both) echo 'extendedKeyUsage = serverAuth, clientAuth' ;;
  esac
  case $names in
    '') ;;
    # A comma in front of what isn't a new name is part of none: names come as openssl takes them, DNS:a,IP:b or DER:30:…
    DER:*) echo "subjectAltName = $names" ;;
    *)
      echo 'subjectAltName = @names'
      echo '[names]'
      IFS=, read -ra alternatives <<<"$names"
      for name in "${alternatives[@]}"; do
        echo "${name%%:*}.$((number++)) = ${name#*:}"
      done
      ;;
  esac
}

# Issues a certificate. Settings:
#   issuer=NAME      self for one that signs itself            key=rsa2048 (or another length) p256 p384 ed25519
#   subject=/CN=…    / for none; the first name otherwise      names=DNS:a,DNS:b,IP:c   DER:… for anything else
#   from=DAYS to=DAYS  the validity, counted from now          usage=server client both none
#   authority=no yes yes:PATHLEN                               digest=sha256
issue() {
  local folder=$1 into=$2 name=$3 setting
  local issuer=intermediate-ec key=p256 subject= names= from=-2 to=60 usage=server authority=no digest=sha256
  shift 3
  for setting in "$@"; do
    case ${setting%%=*} in
      issuer | key | subject | names | from | to | usage | authority | digest) local "$setting" ;;
      *) fail "no setting: $setting" ;;
    esac
  done
  if [ -z "$subject" ]; then
    subject=${names%%,*}
    subject=/CN=${subject#*:}
  fi
  local base=$work/$name home=$into
  mkdir "$base"
  base=$base/x
  request "$base" "$key" "$subject"
  # A data base for each, so that several can be issued at once.
  : >"$base.index"
  {
    printf '[ca]\ndefault_ca = one\n[one]\ndatabase = %s\nnew_certs_dir = %s\nrand_serial = yes\n' "$base.index" "${base%/x}"
    printf 'policy = any\nunique_subject = no\nx509_extensions = all\ndefault_md = %s\n' "$digest"
    printf '[any]\norganizationName = optional\ncommonName = optional\n'
    extensions "$usage" "$authority" "$names"
  } >"$base.conf"
  local signer=(-selfsign -keyfile "$base.key")
  if [ "$issuer" != self ]; then
    [ -e "$home/$issuer.key" ] || home=$folder
    signer=(-cert "$home/$issuer.pem" -keyfile "$home/$issuer.key")
  fi
  run ca -batch -notext -preserveDN -utf8 -config "$base.conf" "${signer[@]}" -startdate "$(day "$from")" -enddate "$(day "$to")" \
    -in "$base.csr" -out "$base.pem"
  mv "$base.key" "$into/$name.key"
  finish "$base.pem" "$into" "$name" "$home/$issuer"
}

# Puts a certificate and what is derived from it into place. $4: the path of its issuer, without a suffix.
finish() {
  local certificate=$1 into=$2 name=$3 issuer=$4
  local base=$into/$name
  mv "$certificate" "$base.pem"
  cp "$base.pem" "$base.chain.pem"
  cp "$base.pem" "$base.full.pem"
  if [ "${issuer##*/}" != self ]; then
    # A root isn't sent.
    cmp -s "$issuer.pem" "$issuer.full.pem" || cat "$issuer.chain.pem" >>"$base.chain.pem"
    cat "$issuer.full.pem" >>"$base.full.pem"
  fi
  cat "$base.key" "$base.chain.pem" >"$base.all.pem"
  der <"$base.pem" >"$base.der"
  openssl x509 -in "$base.pem" -noout -pubkey | der >"$base.spki"
}

der() { sed '/^-----/d' | base64 -d; }

# Appends the digests of files, named without their folder.
sums() {
  local into=$1 algorithm
  shift
  for algorithm in sha1 sha224 sha256 sha384 sha512; do
    (cd "$into" && "${algorithm}sum" "$@" | sed "s/^\([0-9a-f]*\) ./$algorithm \1 /") >>"$into/sums"
  done
}

# A list of one dNSName with a null byte in it, in DER.
name_with_null() {
  local text length
  text=$(printf '%s\0%s' "$1" "$2" | od -An -v -tx1 | tr -d ' \n')
  length=$((${#text} / 2))
  printf 'DER:30%02x82%02x%s' $((length + 2)) "$length" "$text"
}

# Makes the % in a certificate's subject a null byte, which no command takes as operand, and signs again. The issuer's key is of
# RSA with 2048 bits: so the signature is the last 256 bytes.
put_null() {
  local into=$1 name=$2 issuer=$3 base=$work/null
  sed 's/%/\x00/' "$into/$name.der" >"$base.der"
  run asn1parse -inform DER -in "$base.der" -strparse 4 -noout -out "$base.body"
  run dgst -sha256 -sign "$into/$issuer.key" -out "$base.signature" "$base.body"
  head -c -256 "$base.der" >"$base.new"
  cat "$base.signature" >>"$base.new"
  run x509 -inform DER -in "$base.new" -out "$base.pem"
  finish "$base.pem" "$into" "$name" "$into/$issuer"
}

authorities() {
  local into=$1
  issue "$into" "$into" root-rsa issuer=self key=rsa2048 subject=/O=Tests/CN=RSA\ root authority=yes usage=none &
  issue "$into" "$into" root-ec issuer=self subject=/O=Tests/CN=EC\ root authority=yes usage=none
  issue "$into" "$into" stranger issuer=self subject=/O=Strangers/CN=Unknown\ root authority=yes usage=none
  issue "$into" "$into" intermediate-ec issuer=root-ec subject=/O=Tests/CN=EC\ intermediate authority=yes:0 usage=none
  issue "$into" "$into" intermediate-old issuer=root-ec subject=/O=Tests/CN=Old\ intermediate authority=yes:0 usage=none from=-400 to=-10
  wait $!
  issue "$into" "$into" intermediate-rsa issuer=root-rsa key=rsa2048 subject=/O=Tests/CN=RSA\ intermediate authority=yes:0 usage=none
}

servers() {
  local into=$1 mx=names=DNS:mx.example.com
  issue "$into" "$into" rsa issuer=intermediate-rsa key=rsa2048 $mx &
  issue "$into" "$into" ec $mx
  issue "$into" "$into" by-root issuer=root-ec $mx
  issue "$into" "$into" expired $mx from=-40 to=-10
  issue "$into" "$into" future $mx from=10 to=40
  issue "$into" "$into" old-intermediate issuer=intermediate-old $mx
  issue "$into" "$into" wrong-name names=DNS:mx.elsewhere.example
  issue "$into" "$into" wildcard 'names=DNS:*.example.com'
  issue "$into" "$into" san-only $mx subject=/
  issue "$into" "$into" cn-only subject=/CN=mx.example.com
  issue "$into" "$into" cn-elsewhere $mx subject=/CN=mx.elsewhere.example
  issue "$into" "$into" cn-overruled names=DNS:mx.elsewhere.example subject=/CN=mx.example.com
  issue "$into" "$into" nameless subject=/O=Nobody
  issue "$into" "$into" address names=IP:127.0.0.1,IP:::1
  issue "$into" "$into" null-name subject=/O=Tests "names=$(name_with_null mx.example.com .elsewhere.example)"
  issue "$into" "$into" self-signed issuer=self $mx
  issue "$into" "$into" untrusted issuer=stranger $mx
  issue "$into" "$into" by-leaf issuer=ec $mx
  issue "$into" "$into" client-usage $mx usage=client
  wait $!
  issue "$into" "$into" null-cn issuer=intermediate-rsa subject=/CN=mx.example.com%.elsewhere.example
  put_null "$into" null-cn intermediate-rsa
}

clients() {
  local into=$1
  issue "$into" "$into" client subject=/O=Tests/CN=client names=DNS:client.example.net,email:sender@example.net usage=client
  issue "$into" "$into" client-rsa issuer=intermediate-rsa key=rsa2048 subject=/O=Tests/CN=RSA\ client usage=client
  issue "$into" "$into" client-untrusted issuer=stranger subject=/CN=client usage=client
  run pkey -in "$into/client.key" -aes256 -passout pass:correct-horse -out "$into/client.locked.key"
  cat "$into/client.locked.key" "$into/client.chain.pem" >"$into/client.locked.all.pem"
}

# The trusted roots: one file, and a folder that openssl looks certificates up in.
trust() {
  local into=$1
  cat "$into/root-rsa.pem" "$into/root-ec.pem" >"$into/roots.pem"
  mkdir "$into/roots"
  cp "$into/root-rsa.pem" "$into/root-ec.pem" "$into/roots/"
  run rehash "$into/roots"
}

everything() {
  local into=$1
  mkdir "$into"
  authorities "$into"
  servers "$into" &
  clients "$into"
  wait $!
  trust "$into"
  (cd "$into" && ls -- *.der *.spki) >"$work/names"
  mapfile -t names <"$work/names"
  sums "$into" "${names[@]}"
}

case ${1-} in
  all)
    [ $# = 2 ] || fail "all FOLDER"
    everything "$2"
    ;;
  issue)
    [ $# -ge 4 ] || fail "issue FOLDER INTO NAME [SETTING=…]…"
    issue "${@:2}"
    sums "$3" "$4.der" "$4.spki"
    ;;
  *) fail "all or issue" ;;
esac
