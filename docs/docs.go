// Package docs holds the documents that the server hands out: the contract of its API and
// the readable page of it.
package docs

import _ "embed" // the files below

// OpenAPI is openapi.yaml: the API in OpenAPI 3.1.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Page is the readable page of the API, in HTML.
//
//go:embed api.html
var Page []byte
