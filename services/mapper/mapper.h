/* Mapper: draws the map from paired sweeps and poses, and keeps the active one. */
#ifndef MAPPER_MAPPER_H
#define MAPPER_MAPPER_H

#include <gantry/service.h>

extern const service_def_t MAPPER;

#endif
