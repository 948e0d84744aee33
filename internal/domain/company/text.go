package company

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	sealName  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	colour    = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)
	localPart = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")
	urlHost   = regexp.MustCompile(`^([A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45})$`) // a name or an address, both IPs included
	hostLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// line says whether s is one line that is not blank and not longer than limit characters.
// Nothing of a company may hold a line break: it ends up in mail headers and file names.
func line(s string, limit int) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit && !strings.ContainsFunc(s, unicode.IsControl)
}

// apiKey says whether s can be sent in a header as it is.
func apiKey(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// address says whether s is one plain e-mail address.
func address(s string) bool {
	local, host, ok := strings.Cut(s, "@")
	return ok && len(s) <= 254 && len(local) <= 64 && localPart.MatchString(local) && hostName(strings.ToLower(host))
}

// hostName says whether s is a host name in lower case, without port and final dot.
func hostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !hostLabel.MatchString(label) {
			return false
		}
	}
	return true
}

// httpURL says whether s is an absolute address that a browser or an HTTP client can open. A
// user name or password in it would be a secret among the settings.
func httpURL(s string) bool {
	if len(s) > 2000 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && urlHost.MatchString(u.Hostname()) && u.User == nil && port(u)
}

func port(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// right says whether r is an address, before and after the number is put in, and has no
// other placeholder. In the host, which would let a number choose the server, angle brackets
// are refused.
func (r Redirect) right() bool {
	filled := r.For("A-1")
	return httpURL(string(r)) && httpURL(filled) && !strings.ContainsAny(filled, "<>\"`")
}

// origin says whether s is what a browser sends as Origin, or such with *. before the host.
// It goes into a header: nothing but these characters may pass.
func origin(s string) bool {
	s = strings.Replace(s, "://*.", "://", 1)
	if !httpURL(s) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && s == u.Scheme+"://"+u.Host && hostName(u.Hostname())
}

// sshTypes are the types of public keys that are taken.
var sshTypes = []string{
	"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
	"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
}

// sshKey says whether s has the form of a line of authorized_keys without options. Whether
// the key itself is sound, companyfile sees.
func sshKey(s string) bool {
	if !line(s, 8192) {
		return false
	}
	fields := strings.Fields(s)
	if len(fields) < 2 || !slices.Contains(sshTypes, fields[0]) {
		return false
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(blob) < 4 {
		return false
	}
	n := binary.BigEndian.Uint32(blob)
	return int64(n) <= int64(len(blob)-4) && bytes.Equal(blob[4:4+n], []byte(fields[0]))
}
