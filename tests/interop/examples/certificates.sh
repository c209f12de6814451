# shellcheck shell=sh
# An authority ca.pem; for server.example.test and alice key, certificate and, under Password1!, a PFX file. In the present directory.
authority='basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign'
set --
for extension in $authority; do
    set -- "$@" -addext "$extension"
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3 -subj '/CN=Example Authority' "$@" 2>/dev/null
certificate()
{
    printf '%s\n' 'basicConstraints = critical,CA:FALSE' 'keyUsage = critical,digitalSignature' "extendedKeyUsage = $3" "subjectAltName = $4" >"$1.ext"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    openssl pkcs12 -export -in "$1.pem" -inkey "$1.key" -out "$1.pfx" -passout pass:Password1!
}
certificate server server.example.test serverAuth DNS:server.example.test
certificate alice alice clientAuth email:alice@example.test
