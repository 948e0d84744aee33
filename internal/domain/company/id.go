package company

import (
	"regexp"
	"slices"

	"vidimus/internal/domain/fault"
)

// ID is the name of a company in URLs: 1 to 64 of a-z, 0-9 and hyphen.
type ID string

// Shortcode is the first part of a company's Ident-IDs: three of A-Z and 0-9, unique in the
// installation (3.2.10).
type Shortcode string

var (
	idPattern        = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	identPattern     = regexp.MustCompile(`^[a-z0-9]{3}-[a-z0-9]{5}$`)
	shortcodePattern = regexp.MustCompile(`^[A-Z0-9]{3}$`)
)

// reserved are the first segments of the server's own paths, those it has and those it may
// need: a company of that name would hide them, or they the company.
var reserved = []string{
	"account", "admin", "agent", "agents", "api", "app", "archive", "assets", "auth", "call", "company", "console", "debug",
	"desk", "docs", "download", "events", "favicon", "health", "healthz", "help", "identifications", "internal", "link", "livekit",
	"login", "logout", "media", "metrics", "oauth", "oidc", "openapi", "ready", "readyz", "review", "robots", "root", "rtc", "saml",
	"sdk", "static", "status", "system-check", "systemcheck", "upload", "userdata", "v1", "v2", "v3", "version", "webhook", "webhooks",
	"well-known", "ws",
}

// ParseID accepts what can be a company's name: the right characters, no path of the server
// itself, and not the form of an Ident-ID, which short links have in the same place. Any
// mistake is fault.Invalid with the key companyid.
func ParseID(s string) (ID, error) {
	switch {
	case !idPattern.MatchString(s):
		return "", fault.New(fault.Invalid, "1 to 64 characters of a-z, 0-9 and - are expected").In("companyid")
	case slices.Contains(reserved, s):
		return "", fault.New(fault.Invalid, "a name that is not a path of the server itself is expected").In("companyid")
	case identPattern.MatchString(s):
		return "", fault.New(fault.Invalid, "a name that does not look like an Ident-ID (abc-defgh) is expected").In("companyid")
	}
	return ID(s), nil
}

// ParseShortcode accepts three of A-Z and 0-9. Any mistake is fault.Invalid with the key
// shortcode.
func ParseShortcode(s string) (Shortcode, error) {
	if !shortcodePattern.MatchString(s) {
		return "", fault.New(fault.Invalid, "three characters of A-Z and 0-9 are expected").In("shortcode")
	}
	return Shortcode(s), nil
}
