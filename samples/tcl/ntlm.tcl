# tclsh ntlm.tcl USER DOMAIN TARGET: NTLM with an account of the server's own. The password is a line of standard input.
source [file join [file dirname [info script]] common.tcl]

lassign $argv user domain target
gets stdin password
set identity [twapi::sspi_winnt_identity_credentials $user $domain [twapi::conceal $password]]
unset password
set client [twapi::sspi_acquire_credentials -package NTLM -role client -credentials $identity]
set server [twapi::sspi_acquire_credentials -package NTLM -role server]
converse $client $server $target
