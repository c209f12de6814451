# Options whose effect needs Kerberos; run by tests/interop/test_tcl_kerberos.py in a realm with alice's forwardable ticket, a service that is trusted
# for delegation, and keys of host/ and HTTP/ in the keytab.
package require tcltest
namespace import tcltest::*
package require twapi_crypto
source [file join $env(OPENSSPI_SOURCE) samples tcl common.tcl]
set target host/server.example.test

proc features {package client_options server_options} {
    global target
    set client [twapi::sspi_acquire_credentials -package $package -role client]
    set server [twapi::sspi_acquire_credentials -package $package -role server]
    set found {}
    foreach context [handshake $client $server [list -target $target {*}$client_options] $server_options] {
        lappend found [dict keys [dict filter [twapi::sspi_context_features $context] value 1]]
    }
    return $found
}

foreach {option client_has server_has} {
    -integrity -integrity -integrity
    -confidentiality {-confidentiality -integrity} {-confidentiality -integrity}
    -mutualauth -mutualauth -mutualauth
    -replaydetect {-integrity -replaydetect} {-integrity -replaydetect}
    -sequencedetect {-integrity -sequencedetect} {-integrity -sequencedetect}
    -extendederror -extendederror -extendederror
    -connection -connection {}
} {
    test kerberos$option {what Kerberos makes of it} -body { features Kerberos [list $option 1] {} } -result [list $client_has $server_has]
}
test kerberos-delegate {-delegate goes with -mutualauth} -body {
    lmap side [features Kerberos {-delegate 1 -mutualauth 1} {-delegate 1}] { expr {"-delegate" in $side} }
} -result {1 1}
test kerberos-usesessionkey {-usesessionkey: user to user, the server being alice herself} -body {
    set alice [twapi::sspi_acquire_credentials -package Kerberos -role both]
    lassign [handshake $alice $alice {-target alice@EXAMPLE.TEST -usesessionkey 1 -integrity 1} {}] client server
    twapi::sspi_context_username $server
} -result alice@EXAMPLE.TEST
test kerberos-principal-1 {-principal: tickets for that service alone are taken} -body {
    set client [twapi::sspi_acquire_credentials -package Kerberos -role client]
    set found {}
    foreach principal {host/server.example.test HTTP/server.example.test} {
        set server [twapi::sspi_acquire_credentials -package Kerberos -role server -principal $principal]
        lappend found [expr {[catch {handshake $client $server [list -target $target] {}}] ? [lindex $::errorCode 1] : "good"}]
    }
    set found
} -result {good -2146893022}
test kerberos-principal-2 {-principal: whose ticket} -body {
    set client [twapi::sspi_acquire_credentials -package Kerberos -role client -principal nobody@EXAMPLE.TEST]
    twapi::sspi_client_context $client -target $target
} -returnCodes error -match glob -result {*SEC_E_NO_CREDENTIALS*}
test kerberos-expiration {-getexpiration: the ticket's end, some hours from now} -body {
    set end [dict get [twapi::sspi_acquire_credentials -package Kerberos -role client -getexpiration] -expiration]
    expr {$end / 10000000 - 11644473600 > [clock seconds] - 86400 && $end / 10000000 - 11644473600 < [clock seconds] + 3 * 86400}
} -result 1
test kerberos-password {sspi_winnt_identity_credentials: user, realm, password} -body {
    set client [twapi::sspi_acquire_credentials -package Kerberos -role client \
        -credentials [twapi::sspi_winnt_identity_credentials alice EXAMPLE.TEST [twapi::conceal password]]]
    set server [twapi::sspi_acquire_credentials -package Kerberos -role server]
    twapi::sspi_context_username [lindex [handshake $client $server [list -target $target -integrity 1] {}] 1]
} -result alice@EXAMPLE.TEST
test kerberos-target {a service that there is not} -body {
    twapi::sspi_client_context [twapi::sspi_acquire_credentials -package Kerberos -role client] -target host/none.example.test
} -returnCodes error -match glob -result {*SEC_E_TARGET_UNKNOWN*}
test negotiate-over-kerberos {the server learns alice by Kerberos} -body {
    lmap side [features Negotiate {-mutualauth 1 -confidentiality 1} {}] { expr {"-mutualauth" in $side && "-confidentiality" in $side} }
} -result {1 1}

set failed $tcltest::numTests(Failed)
cleanupTests
exit [expr {$failed > 0}]
