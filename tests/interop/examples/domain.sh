# shellcheck shell=sh
# An Active Directory domain EXAMPLE.TEST, its controller on this computer, as Samba provisions it.
mkdir -p /var/lib/samba/private /var/log/samba /var/cache/samba /run/samba
samba-tool domain provision --realm=EXAMPLE.TEST --domain=EXAMPLE --server-role=dc --dns-backend=NONE --host-name=server \
    --host-ip=127.0.0.1 --use-rfc2307 --adminpass=Administrator1! >/tmp/provision.log 2>&1 || { cat /tmp/provision.log; exit 1; }
sed -i 's/^\[global\]$/[global]\n\tinterfaces = lo 127.0.0.1\/8\n\tbind interfaces only = yes\n\tserver services = kdc, ldap, cldap, rpc\n\ttls enabled = no/' /etc/samba/smb.conf
sed -i '0,/server services = dns.*/{/server services = dns.*/d}' /etc/samba/smb.conf
cat >/etc/krb5.conf <<'END'
[libdefaults]
default_realm = EXAMPLE.TEST
dns_lookup_realm = false
dns_lookup_kdc = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
EXAMPLE.TEST = {
  kdc = server.example.test
}
[domain_realm]
.example.test = EXAMPLE.TEST
END
samba -D --model=single
tries=0
until printf 'Administrator1!\n' | kinit Administrator >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { cat /var/log/samba/* ; exit 1; }
    sleep 0.2
done
kdestroy
