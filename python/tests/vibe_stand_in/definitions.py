"""A stand-in for vibe.definitions: what it makes of config.yml, for grids of named arguments, which
are products in their order, handed over by position."""

import importlib
import itertools
import pathlib
from typing import Any, List

import yaml


class Definition:
    def __init__(self, given: Any, arguments: List[Any], query_groups: List[List[Any]]) -> None:
        self.module, self.constructor = given["module"], given["constructor"]
        self.disabled, self.ood = given["disabled"], given["ood"]
        self.arguments, self.query_argument_groups = arguments, query_groups


def get_definitions(dimension: int, point_type: str, distance_metric: str, count: int,
                    base_dir: str) -> List[Definition]:
    known = {"@metric": distance_metric, "@dimension": dimension, "@count": count}
    made = []
    for path in pathlib.Path(base_dir).glob("*/config.yml"):
        config = yaml.safe_load(path.read_text()).get(point_type, {})
        for given in config.get("any", []) + config.get(distance_metric, []):
            for group in given["run_groups"].values():
                queries = [list(one) for one in itertools.product(*group["query_args"].values())]
                for built in itertools.product(*group["args"].values()):
                    arguments = [known.get(name, name) for name in given["base_args"]]
                    made.append(Definition(given, arguments + list(built), queries))
    return made


def instantiate_algorithm(definition: Definition) -> Any:
    module = importlib.import_module(definition.module + ".module")
    return getattr(module, definition.constructor)(*definition.arguments)
