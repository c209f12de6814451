# tclsh ntlm.tcl USER DOMAIN TARGET: NTLM with an account of the server's own. The password is a line of standard input.
source [file join [file dirname [info script]] common.tcl]

lassign $argv user domain target
set client [client_credentials NTLM $user $domain]
set server [twapi::sspi_acquire_credentials -package NTLM -role server]
converse $client $server $target
