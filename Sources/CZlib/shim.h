// zlib, which inflates captures that were compressed.
#include <zlib.h>
