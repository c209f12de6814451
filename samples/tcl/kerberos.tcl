# tclsh kerberos.tcl SERVICE ?USER REALM?: Kerberos with the ticket that kinit got, or with a password, which is a line of standard input. The server has SERVICE's
# key in its keytab: host/server.example.test.
source [file join [file dirname [info script]] common.tcl]

lassign $argv service user realm
set client [client_credentials Kerberos $user $realm]
set server [twapi::sspi_acquire_credentials -package Kerberos -role server]
converse $client $server $service
