# tclsh negotiate.tcl TARGET ?USER DOMAIN?: Negotiate, which takes Kerberos where it can be had and else NTLM. With a user the password is a line of standard input; without
# one whoever is logged on (kinit).
source [file join [file dirname [info script]] common.tcl]

lassign $argv target user domain
set whose {}
if {$user ne ""} {
    gets stdin password
    set whose [list -credentials [twapi::sspi_winnt_identity_credentials $user $domain [twapi::conceal $password]]]
    unset password
}
set client [twapi::sspi_acquire_credentials -package Negotiate -role client {*}$whose]
set server [twapi::sspi_acquire_credentials -package Negotiate -role server]
converse $client $server $target
