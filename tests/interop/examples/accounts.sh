# shellcheck shell=sh
# An account of the computer's own: EXAMPLE\alice, Password1!
printf 'Password1!\n' | sspi account add alice --domain EXAMPLE
