# Makes the lower-case names of errors.def: cases of a switch.
/^KW_ERROR(/!d
s/^KW_ERROR(\([0-9]*\), \([A-Z_]*\), .*/\2 \1/
y/ABCDEFGHIJKLMNOPQRSTUVWXYZ_/abcdefghijklmnopqrstuvwxyz-/
s/^\([a-z-]*\) \([0-9]*\)$/case \2: return "\1";/
