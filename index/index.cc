#include "obliq/index.h"
