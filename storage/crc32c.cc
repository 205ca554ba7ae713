#include "storage/crc32c.h"
