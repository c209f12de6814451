# What the samples share: both sides of a handshake in one script, as two ends of a wire.
package require twapi_crypto

# A client's credentials of `package`: with a user by a password, which is a line of standard input, else whoever is logged on.
proc client_credentials {package user domain} {
    if {$user eq ""} {
        return [twapi::sspi_acquire_credentials -package $package -role client]
    }
    gets stdin password
    set identity [twapi::sspi_winnt_identity_credentials $user $domain [twapi::conceal $password]]
    unset password
    return [twapi::sspi_acquire_credentials -package $package -role client -credentials $identity]
}

proc handshake {client_credentials server_credentials client_options server_options} {
    set client [twapi::sspi_client_context $client_credentials {*}$client_options]
    lassign [twapi::sspi_step $client] client_state token
    set server [twapi::sspi_server_context $server_credentials $token {*}$server_options]
    lassign [twapi::sspi_step $server] server_state token
    while {$client_state eq "continue" || $server_state eq "continue"} {
        if {$client_state eq "continue"} {
            lassign [twapi::sspi_step $client $token] client_state token
        }
        if {$server_state eq "continue"} {
            lassign [twapi::sspi_step $server $token] server_state token
        }
    }
    # What a TLS 1.3 server sends when it is done (session tickets) is the client's first record.
    if {$token ne ""} {
        lassign [twapi::sspi_decrypt_stream $client $token] state
        while {$state eq "renegotiate"} {
            lassign [twapi::sspi_step $client] step token extra
            lassign [twapi::sspi_decrypt_stream $client $extra] state
        }
    }
    return [list $client $server]
}

# Both sides of a conversation by a package that protects messages: who came, a sealed message there, a signed one back.
proc converse {client_credentials server_credentials target} {
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
}
