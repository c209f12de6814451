# tclsh negotiate.tcl TARGET ?USER DOMAIN?: Negotiate, which takes Kerberos where it can be had and else NTLM. With a user the password is a line of standard input; without
# one whoever is logged on (kinit).
source [file join [file dirname [info script]] common.tcl]

lassign $argv target user domain
set client [client_credentials Negotiate $user $domain]
set server [twapi::sspi_acquire_credentials -package Negotiate -role server]
converse $client $server $target
