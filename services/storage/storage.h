/* Storage: writes what the bus says into the database and answers store.* requests. */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include <gantry/service.h>

extern const service_def_t STORAGE;

#endif
