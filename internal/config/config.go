// Package config decides how a server may be started: the settings of `vidimus serve`,
// what they default to and which of them fit together. It reads the file of --config. It
// opens nothing else: whether files and servers are there, vidimus doctor sees.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"vidimus/internal/domain/fault"
)

// Config is the settings of `vidimus serve`. The tags are the long name of each flag, its
// environment variable, its default and its help, as kong reads them; the file of --config
// has the same names. An empty text is "not given".
type Config struct {
	Data                 string   `name:"data" env:"VIDIMUS_DATA" default:"./data" placeholder:"DIR" help:"State of the embedded store."`
	Database             string   `name:"database" env:"VIDIMUS_DATABASE" placeholder:"URL" help:"postgres://… instead of the embedded SQLite in DIR."`
	Blobs                string   `name:"blobs" env:"VIDIMUS_BLOBS" placeholder:"URL" help:"s3://bucket?… instead of files in DIR."`
	HTTP                 string   `name:"http" env:"VIDIMUS_HTTP" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where the gateway, the user pages, the desk and the console listen."`
	SFTP                 string   `name:"sftp" env:"VIDIMUS_SFTP" default:"127.0.0.1:2022" placeholder:"ADDR" help:"Where SFTP listens."`
	PublicURL            string   `name:"public-url" env:"VIDIMUS_PUBLIC_URL" placeholder:"URL" help:"What links to users start with; default http://<http address>."`
	Keys                 string   `name:"keys" env:"VIDIMUS_KEYS" placeholder:"URL" help:"Where the keys of single identifications live; default DIR/keys/keys.db."`
	MasterKey            string   `name:"master-key" env:"VIDIMUS_MASTER_KEY" placeholder:"FILE" help:"What wraps them; default DIR/keys/master, made at the first start."`
	SMTP                 string   `name:"smtp" env:"VIDIMUS_SMTP" placeholder:"HOST:PORT" help:"Mail server; without one, mails are written to DIR/outbox/mail/."`
	SMTPUser             string   `name:"smtp-user" env:"VIDIMUS_SMTP_USER" placeholder:"NAME" help:"Who logs in to the mail server."`
	SMTPPasswordFile     string   `name:"smtp-password-file" env:"VIDIMUS_SMTP_PASSWORD_FILE" placeholder:"FILE" help:"The file that holds the password for it."`
	SMTPTLS              string   `name:"smtp-tls" env:"VIDIMUS_SMTP_TLS" placeholder:"auto|require|off" help:"Encryption to the mail server; default auto in test, require in live."`
	MailFrom             string   `name:"mail-from" env:"VIDIMUS_MAIL_FROM" placeholder:"ADDR" help:"Who mails come from."`
	MailLimit            int      `name:"mail-limit" env:"VIDIMUS_MAIL_LIMIT" default:"25" placeholder:"MIB" help:"Largest result that is mailed, in MiB; of a larger one the technical contact is told."`
	EgressProxy          string   `name:"egress-proxy" env:"VIDIMUS_EGRESS_PROXY" placeholder:"URL" help:"HTTP proxy for webhooks, where outgoing addresses must be fixed."`
	AllowPrivateWebhooks bool     `name:"allow-private-webhooks" env:"VIDIMUS_ALLOW_PRIVATE_WEBHOOKS" help:"Live: let webhooks go to private and link-local addresses."`
	CSCURL               string   `name:"csc-url" env:"VIDIMUS_CSC_URL" placeholder:"URL" help:"Trust service that signs documents, by the API of the Cloud Signature Consortium (v2); without one, the built-in one does, which is not qualified."`
	CSCTokenURL          string   `name:"csc-token-url" env:"VIDIMUS_CSC_TOKEN_URL" placeholder:"URL" help:"Where access tokens for it come from; default what it says of itself."`
	CSCClientID          string   `name:"csc-client-id" env:"VIDIMUS_CSC_CLIENT_ID" placeholder:"NAME" help:"The platform's account at the trust service."`
	CSCClientSecretFile  string   `name:"csc-client-secret-file" env:"VIDIMUS_CSC_CLIENT_SECRET_FILE" placeholder:"FILE" help:"The file that holds the secret of that account."`
	CSCCredential        string   `name:"csc-credential" env:"VIDIMUS_CSC_CREDENTIAL" placeholder:"ID" help:"The key there that signs; default the first of the account that can."`
	CSCAuthDataFile      string   `name:"csc-auth-data-file" env:"VIDIMUS_CSC_AUTH_DATA_FILE" placeholder:"FILE" help:"The file that holds the PIN of that key, if it has one."`
	CSCTimestampURL      string   `name:"csc-timestamp-url" env:"VIDIMUS_CSC_TIMESTAMP_URL" placeholder:"URL" help:"Time-stamp authority (RFC 3161) for such signatures; default the trust service itself."`
	TLSCert              string   `name:"tls-cert" env:"VIDIMUS_TLS_CERT" placeholder:"FILE" help:"Certificate chain in PEM."`
	TLSKey               string   `name:"tls-key" env:"VIDIMUS_TLS_KEY" placeholder:"FILE" help:"Its key in PEM."`
	TrustedProxy         []string `name:"trusted-proxy" env:"VIDIMUS_TRUSTED_PROXY" placeholder:"CIDR" help:"Proxies whose X-Forwarded-… headers are believed."`
	Environment          string   `name:"environment" env:"VIDIMUS_ENVIRONMENT" default:"test" placeholder:"test|live" help:"live refuses robots, demo and speedup, and demands HTTPS."`
	Demo                 bool     `name:"demo" env:"VIDIMUS_DEMO" help:"Create the demo companies if they are missing."`
	Speedup              int      `name:"speedup" env:"VIDIMUS_SPEEDUP" default:"1" placeholder:"N" help:"Test only: divides every duration that the specification names."`
}

// The environments.
const (
	Test = "test"
	Live = "live"
)

// maxMailLimit is what the format of encrypted ZIPs bears.
const maxMailLimit = 1024

// maxSpeedup keeps a second of the specification above a microsecond.
const maxSpeedup = 1_000_000

// Default returns the settings of a server that is started without any.
func Default() Config {
	return Config{Data: "./data", HTTP: "127.0.0.1:8080", SFTP: "127.0.0.1:2022", Environment: Test, Speedup: 1, MailLimit: 25}
}

// Names returns the long names of all flags, in the order of the fields: what the file of
// --config may hold.
func Names() []string {
	var names []string
	for f := range reflect.TypeFor[Config]().Fields() {
		names = append(names, f.Tag.Get("name"))
	}
	return names
}

// Live says whether real people are identified here.
func (c Config) Live() bool { return c.Environment == Live }

// TLS says whether the server speaks HTTPS itself.
func (c Config) TLS() bool { return c.TLSCert != "" && c.TLSKey != "" }

// Base returns what links to users start with, without a final slash. A live server is
// reached by HTTPS, whoever speaks it.
func (c Config) Base() string {
	switch {
	case c.PublicURL != "":
		return strings.TrimRight(c.PublicURL, "/")
	case c.TLS(), c.Live():
		return "https://" + c.HTTP
	default:
		return "http://" + c.HTTP
	}
}

// KeysURL returns where the keys of identifications live: a postgres:// URL or a file.
func (c Config) KeysURL() string {
	if c.Keys != "" {
		return c.Keys
	}
	return filepath.Join(c.Data, "keys", "keys.db")
}

// MasterKeyFile returns the file of the master key.
func (c Config) MasterKeyFile() string {
	if c.MasterKey != "" {
		return c.MasterKey
	}
	return filepath.Join(c.Data, "keys", "master")
}

// MailTLS returns how mails are encrypted on their way to the mail server: auto, require
// or off.
func (c Config) MailTLS() string {
	switch {
	case c.SMTPTLS != "":
		return c.SMTPTLS
	case c.Live():
		return "require"
	default:
		return "auto"
	}
}

// Sender returns who mails come from: MailFrom, or noreply at the host of Base.
func (c Config) Sender() string {
	if c.MailFrom != "" {
		return c.MailFrom
	}
	u, err := url.Parse(c.Base())
	if err != nil || u.Hostname() == "" {
		return "noreply@localhost"
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return "noreply@localhost" // an address of digits is no mail domain
	}
	return "noreply@" + u.Hostname()
}

// Proxies returns the networks of TrustedProxy; a plain address is a network of one. What
// is neither is left out: Check reports it.
func (c Config) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range c.TrustedProxy {
		if p, ok := network(s); ok {
			all = append(all, p)
		}
	}
	return all
}

func network(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil
}

// Check returns every mistake as a fault.List: the key is the flag's long name, the message
// what is expected. It never holds a value, which may carry a password.
func (c Config) Check() error {
	var l fault.List
	check := func(ok bool, flag, format string, args ...any) {
		if !ok {
			l = append(l, fault.New(fault.Invalid, format, args...).In(flag))
		}
	}
	check(c.Data != "", "data", "a directory is expected")
	check(c.Database == "" || postgres(c.Database), "database", "an address such as postgres://user@host/name is expected")
	check(c.Blobs == "" || hasScheme(c.Blobs, "s3"), "blobs", "an address such as s3://bucket?region=eu-central-1 is expected")
	check(c.Keys == "" || !strings.Contains(c.Keys, "://") || postgres(c.Keys), "keys", "a file, or an address such as postgres://user@host/name, is expected")
	check(listen(c.HTTP), "http", "an address such as 127.0.0.1:8080 is expected")
	check(listen(c.SFTP), "sftp", "an address such as 127.0.0.1:2022 is expected")
	check(c.SFTP != c.HTTP || strings.HasSuffix(c.HTTP, ":0"), "sftp", "another address than that of --http is expected")
	check(c.PublicURL == "" || base(c.PublicURL), "public-url", "an address such as https://ident.example.com, without query, is expected")
	c.checkMail(check)
	check(c.EgressProxy == "" || hasScheme(c.EgressProxy, "http", "https"), "egress-proxy", "an address such as http://proxy.example.com:3128 is expected")
	c.checkCSC(check)
	check((c.TLSCert == "") == (c.TLSKey == ""), "tls-cert", "--tls-cert and --tls-key are expected together")
	for _, s := range c.TrustedProxy {
		_, ok := network(s)
		check(ok, "trusted-proxy", "networks such as 10.0.0.0/8 are expected")
	}
	check(c.Environment == Test || c.Environment == Live, "environment", "test or live is expected")
	check(c.Speedup >= 1 && c.Speedup <= maxSpeedup, "speedup", "a number from 1 to %d is expected", maxSpeedup)
	if c.Live() {
		c.checkLive(check)
	}
	return l.Err()
}

func (c Config) checkMail(check func(ok bool, flag, format string, args ...any)) {
	check(c.SMTP == "" || dial(c.SMTP), "smtp", "a server such as mail.example.com:587 is expected")
	check((c.SMTPUser == "") == (c.SMTPPasswordFile == ""), "smtp-user", "--smtp-user and --smtp-password-file are expected together")
	check(c.SMTP != "" || c.SMTPUser == "" && c.SMTPPasswordFile == "", "smtp", "a server is expected where --smtp-user or --smtp-password-file is given")
	check(c.SMTPTLS == "" || c.SMTPTLS == "auto" || c.SMTPTLS == "require" || c.SMTPTLS == "off", "smtp-tls", "auto, require or off is expected")
	check(c.MailLimit >= 1 && c.MailLimit <= maxMailLimit, "mail-limit", "a number of MiB from 1 to %d is expected", maxMailLimit)
	check(c.MailFrom == "" || sender(c.MailFrom), "mail-from", "an address such as ident@example.com is expected")
}

func (c Config) checkCSC(check func(ok bool, flag, format string, args ...any)) {
	if c.CSCURL == "" {
		others := c.CSCTokenURL + c.CSCClientID + c.CSCClientSecretFile + c.CSCCredential + c.CSCAuthDataFile + c.CSCTimestampURL
		check(others == "", "csc-url", "an address is expected where other --csc-… are given")
		return
	}
	// Secrets go there, and time-stamps come from there; in the clear only within one machine,
	// and not in live.
	private := func(s string) bool {
		return base(s) && (hasScheme(s, "https") || !c.Live() && loopback(s))
	}
	check(private(c.CSCURL), "csc-url", "an https address such as https://sign.example.com/csc/v2 is expected")
	check(c.CSCTokenURL == "" || private(c.CSCTokenURL), "csc-token-url", "an https address is expected")
	check(c.CSCTimestampURL == "" || private(c.CSCTimestampURL), "csc-timestamp-url", "an https address such as https://tsa.example.com/tsr is expected")
	check(c.CSCClientID != "", "csc-client-id", "the account at the trust service is expected with --csc-url")
	check(c.CSCClientSecretFile != "", "csc-client-secret-file", "a file is expected with --csc-url")
}

func loopback(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}

// checkLive adds what only real identifications demand.
func (c Config) checkLive(check func(ok bool, flag, format string, args ...any)) {
	check(!c.Demo, "demo", "--demo is expected only with --environment test")
	check(c.Speedup <= 1, "speedup", "--speedup above 1 is expected only with --environment test")
	check(c.TLS() || len(c.TrustedProxy) > 0, "tls-cert", "--tls-cert and --tls-key, or --trusted-proxy, are expected with --environment live: it demands HTTPS")
	check(c.PublicURL == "" || hasScheme(c.PublicURL, "https"), "public-url", "an https address is expected with --environment live")
}

func hasScheme(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return true
		}
	}
	return false
}

func postgres(s string) bool {
	u, err := url.Parse(s) // the host may stand in the query: a Unix socket
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
}

func base(s string) bool {
	u, err := url.Parse(s)
	return err == nil && hasScheme(s, "http", "https") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && !strings.Contains(s, "#") && !strings.Contains(s, "?")
}

// listen says whether a server can listen at s: the host may be empty, the port zero.
func listen(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && portNumber(port, 0)
}

// dial says whether s names a server to call.
func dial(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && portNumber(port, 1) && !strings.ContainsAny(host, " /@\r\n")
}

func portNumber(s string, lowest uint64) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n >= lowest
}

// sender says whether s is a plain address, or a name with one in angle brackets.
func sender(s string) bool {
	_, err := mail.ParseAddress(s)
	return err == nil && !strings.ContainsAny(s, "\r\n")
}

// String withholds addresses that may carry passwords.
func (c Config) String() string { return fmt.Sprintf("config of a %s server", c.Environment) }

// LogValue withholds the same from logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
