# shellcheck shell=sh
# Services first, second and third, the first two trusted for delegation; a Unix user alice, and a file that only she may read. Needs realm.sh.
for name in first second third; do
    kadmin.local -q "addprinc -randkey +ok_as_delegate host/$name.example.test" >/dev/null
    kadmin.local -q "ktadd host/$name.example.test" >/dev/null
done
useradd --no-create-home alice
printf '[access]\nname_domains = EXAMPLE.TEST\n' >/etc/opensspi/opensspi.conf
mkdir -p /srv/files
chmod 711 /srv/files
echo 'what only alice may read' >/srv/files/report.txt
chown alice /srv/files/report.txt
chmod 400 /srv/files/report.txt
