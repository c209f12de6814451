# shellcheck shell=sh
# A web server's log with a token in it, no Kerberos, and a page at http://server.example.test/.
printf '%s\n' '10.0.0.9 - - "GET / HTTP/1.1" 401 "Authorization: NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw=="' >access.log
printf '[libdefaults]\n' >/etc/krb5.conf
setsid httpauth_server -p 80 >/tmp/httpd.log 2>&1 </dev/null &
tries=0
until grep -q http:// /tmp/httpd.log; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { cat /tmp/httpd.log; exit 1; }
    sleep 0.1
done
