package ifneeded twapi_crypto 4.2 [list load [file join $dir libtwapi_crypto.so] Twapi_crypto]
