# tclsh messages.tcl PACKAGE USER DOMAIN ?TARGET?: NTLM, Negotiate or Kerberos; signs and seals. The password is a line of standard input, empty for default credentials.
source [file join [file dirname [info script]] common.tcl]

lassign $argv package user domain target
gets stdin password
set options [list -package $package]
if {$password ne ""} {
    lappend options -credentials [twapi::sspi_winnt_identity_credentials $user $domain $password]
}
set client_credentials [twapi::sspi_acquire_credentials -role client {*}$options]
set server_credentials [twapi::sspi_acquire_credentials -role server -package $package]
set flags {-confidentiality 1 -integrity 1 -replaydetect 1 -sequencedetect 1}
lassign [handshake $client_credentials $server_credentials [list {*}$flags -target $target] $flags] client server

puts "client: [twapi::sspi_context_username $server]"
puts "features: [twapi::sspi_context_features $client]"
lassign [twapi::sspi_encrypt $client "Hello, server"] token data padding
puts "sealed: [twapi::sspi_decrypt $server $token $data $padding]"
lassign [twapi::sspi_sign $server "Hello, client"] signature data
twapi::sspi_verify_signature $client $signature $data
puts "signed: $data"

foreach context [list $client $server] {
    twapi::sspi_delete_context $context
}
foreach credentials [list $client_credentials $server_credentials] {
    twapi::sspi_free_credentials $credentials
}
