# tclsh tls.tcl CERTFILE KEYFILE NAME: a TLS client and a TLS server in one script; the certificate is its own authority.
source [file join [file dirname [info script]] common.tcl]

lassign $argv certificate_file key_file name
set certificate [twapi::cert_import_pem $certificate_file $key_file]
set roots [twapi::cert_file_store_open $certificate_file]
set server_credentials [twapi::sspi_acquire_credentials -package Schannel -role server \
    -credentials [twapi::sspi_schannel_credentials -certificates [list $certificate] -protocols {tls1.2 tls1.3}]]
set client_credentials [twapi::sspi_acquire_credentials -package Schannel -role client \
    -credentials [twapi::sspi_schannel_credentials -rootstore $roots -protocols {tls1.2 tls1.3}]]
lassign [handshake $client_credentials $server_credentials [list -stream 1 -target $name] {-stream 1}] client server

set peer [twapi::sspi_remote_cert $client]
puts "server: [twapi::cert_subject_name $peer]"
lassign [twapi::sspi_decrypt_stream $server [twapi::sspi_encrypt_stream $client "Hello, server"]] state text
puts "$state: $text"
lassign [twapi::sspi_shutdown_context $client] state goodbye
lassign [twapi::sspi_decrypt_stream $server $goodbye] state text
puts "then: $state"

foreach handle [list $certificate $peer] {
    twapi::cert_release $handle
}
twapi::cert_store_release $roots
foreach context [list $client $server] {
    twapi::sspi_delete_context $context
}
foreach credentials [list $client_credentials $server_credentials] {
    twapi::sspi_free_credentials $credentials
}
