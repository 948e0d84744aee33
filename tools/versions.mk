# The tools that the checks and the generators need, each in one version. They are
# installed into bin/tools and never touch go.mod.
GOLANGCI_LINT_VERSION := v2.15.0
SQLC_VERSION          := v1.31.1
