exec import "$@"
