# shellcheck shell=sh
# A Kerberos realm EXAMPLE.TEST with its KDC on this computer, alice with Password1!, a ticket of hers, and host/ and HTTP/ in the keytab.
cat >/etc/krb5.conf <<'END'
[libdefaults]
default_realm = EXAMPLE.TEST
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
EXAMPLE.TEST = {
  kdc = server.example.test
}
[domain_realm]
.example.test = EXAMPLE.TEST
END
mkdir -p /var/lib/krb5kdc
kdb5_util create -s -P master >/dev/null
kadmin.local -q 'addprinc -pw Password1! alice' >/dev/null
for service in host HTTP; do
    kadmin.local -q "addprinc -randkey $service/server.example.test" >/dev/null
    kadmin.local -q "ktadd $service/server.example.test" >/dev/null
done
krb5kdc
printf 'Password1!\n' | kinit alice
