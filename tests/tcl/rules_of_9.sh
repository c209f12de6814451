#!/bin/sh
# Compiles the Tcl package by Tcl 9's rules with the headers of Tcl 8.6: sizes are Tcl_Size (ptrdiff_t), and names that 8.6 only still has are gone.
#
# usage: rules_of_9.sh source-dir tcl-include-dir
set -eu
source=$1
tcl=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$tcl"/tcl*.h "$work/"

# edit FILE PATTERN REPLACEMENT: an edit that changes nothing is a mistake.
edit()
{
    sed "s/$2/$3/" "$work/$1" >"$work/edited"
    if cmp -s "$work/$1" "$work/edited"; then
        echo "$1 has no $2" >&2
        exit 1
    fi
    mv "$work/edited" "$work/$1"
}

if grep -q 'define TCL_MAJOR_VERSION *8' "$work/tcl.h"; then
    # Tcl 9, manual pages of these functions: objc, lengths and counts.
    for name in GetByteArrayFromObj GetStringFromObj; do
        edit tclDecls.h "\\(tcl_$name) (Tcl_Obj \\*objPtr, \\)int \\*" '\1Tcl_Size *'
    done
    edit tclDecls.h '\(tcl_ListObjGetElements) (Tcl_Interp \*interp, Tcl_Obj \*listPtr, \)int \*' '\1Tcl_Size *'
    edit tclDecls.h '\(tcl_NewByteArrayObj) (const unsigned char \*bytes, \)int ' '\1Tcl_Size '
    edit tclDecls.h '\(tcl_NewStringObj) (const char \*bytes, \)int ' '\1Tcl_Size '
    edit tclDecls.h '\(tcl_NewListObj) (\)int ' '\1Tcl_Size '
    edit tclDecls.h '\(tcl_WrongNumArgs) (Tcl_Interp \*interp, \)int ' '\1Tcl_Size '
    edit tclDecls.h 'int \(( *\*tcl_Write) (Tcl_Channel chan, const char \*s, \)int ' 'Tcl_Size \1Tcl_Size '
    edit tclDecls.h '\(tcl_GetIndexFromObjStruct) (Tcl_Interp \*interp, Tcl_Obj \*objPtr, const void \*tablePtr, \)int ' '\1Tcl_Size '
    edit tcl.h '\(define TCL_MAJOR_VERSION *\)8' '\19'
    {
        printf '#include <stddef.h>\ntypedef ptrdiff_t Tcl_Size;\n#define TCL_SIZE_MAX PTRDIFF_MAX\n'
        cat "$work/tcl.h"
    } >"$work/edited"
    mv "$work/edited" "$work/tcl.h"
fi
for compiler in gcc clang; do
    for file in "$source"/tcl/*.c; do
        # The headers are the system's: its macros may convert as they like.
        $compiler -std=gnu11 -DUSE_TCL_STUBS -DTCL_NO_DEPRECATED -Wall -Wextra -Wconversion -Wshadow -Werror -Werror=incompatible-pointer-types \
            -I"$source/include/opensspi" -isystem "$work" -c -o "$work/object.o" "$file"
    done
done

# The check can fail: a count that is an int.
printf '#include <tcl.h>\nvoid f(Tcl_Obj *value);\nvoid f(Tcl_Obj *value)\n{\n    int n;\n    Tcl_GetByteArrayFromObj(value, &n);\n}\n' >"$work/wrong.c"
if gcc -DUSE_TCL_STUBS -Werror -isystem "$work" -c -o "$work/object.o" "$work/wrong.c" 2>"$work/log"; then
    echo 'an int in place of a Tcl_Size was not noticed' >&2
    exit 1
fi
echo 'both compilers take it'
