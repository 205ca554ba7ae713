#include "tools/cli.h"

int main(int argc, char** argv) { return obliq::tools::run_cli(argc, argv); }
