# tclsh kerberos.tcl SERVICE ?USER REALM?: Kerberos with the ticket that kinit got, or with a password, which is a line of standard input. The server has SERVICE's
# key in its keytab: host/server.example.test.
source [file join [file dirname [info script]] common.tcl]

lassign $argv service user realm
set whose {}
if {$user ne ""} {
    gets stdin password
    set whose [list -credentials [twapi::sspi_winnt_identity_credentials $user $realm [twapi::conceal $password]]]
    unset password
}
set client [twapi::sspi_acquire_credentials -package Kerberos -role client {*}$whose]
set server [twapi::sspi_acquire_credentials -package Kerberos -role server]
converse $client $server $service
