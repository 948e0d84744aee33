package config

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/config/document"
	"vidimus/internal/domain/fault"
)

func TestEveryFieldIsAFlagOfTheContract(t *testing.T) {
	want := strings.Fields(`data database blobs http sftp public-url keys master-key smtp smtp-user smtp-password-file smtp-tls mail-from mail-limit
		egress-proxy allow-private-webhooks
		csc-url csc-token-url csc-client-id csc-client-secret-file csc-credential csc-auth-data-file csc-timestamp-url tls-cert tls-key trusted-proxy environment demo speedup`)
	if diff := cmp.Diff(want, Names()); diff != "" {
		t.Error(diff)
	}
	defaults := reflect.ValueOf(Default())
	for f := range reflect.TypeFor[Config]().Fields() {
		if env := "VIDIMUS_" + strings.ToUpper(strings.ReplaceAll(f.Tag.Get("name"), "-", "_")); f.Tag.Get("env") != env || f.Tag.Get("help") == "" {
			t.Errorf("%s: the tags %s", f.Name, f.Tag)
		}
		v, got := defaults.FieldByIndex(f.Index), f.Tag.Get("default")
		if want := fmt.Sprint(v); v.IsZero() && got != "" || !v.IsZero() && got != want {
			t.Errorf("%s: the default is %q in the tag and %q in Default", f.Name, got, want)
		}
	}
}

func TestSettingsThatFit(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"default": func(*Config) {},
		"demo":    func(c *Config) { c.Demo, c.Speedup = true, 60 },
		"ports":   func(c *Config) { c.HTTP, c.SFTP = ":0", ":0" },
		"IPv6":    func(c *Config) { c.HTTP, c.SFTP = "[::1]:8080", "[::1]:2022" },
		"live":    func(c *Config) { c.Environment, c.TLSCert, c.TLSKey = Live, "c", "k" },
		"live behind a proxy": func(c *Config) {
			c.Environment, c.TrustedProxy, c.PublicURL = Live, []string{"10.0.0.0/8", "::1", "192.0.2.1"}, "https://ident.example.com/"
		},
		"fleet": func(c *Config) {
			c.Database, c.Keys, c.Blobs = "postgres://u:p@db/vidimus?sslmode=require", "postgresql:///keys?host=/run", "s3://bucket?region=eu"
		},
		"mail": func(c *Config) {
			c.SMTP, c.SMTPUser, c.SMTPPasswordFile, c.SMTPTLS, c.MailFrom = "mail.example.com:587", "u", "f", "require", "Ident <a@b.example>"
		},
		"keys in a file": func(c *Config) { c.Keys = "/var/lib/keys.db" },
		"trust service": func(c *Config) {
			c.Environment, c.TLSCert, c.TLSKey = Live, "c", "k"
			c.CSCURL, c.CSCTokenURL, c.CSCTimestampURL = "https://sign.example.com/csc/v2", "https://id.example.com/token", "https://tsa.example.com"
			c.CSCClientID, c.CSCClientSecretFile, c.CSCCredential, c.CSCAuthDataFile = "vidimus", "secret", "K1", "pin"
		},
		"trust service here": func(c *Config) {
			c.CSCURL, c.CSCClientID, c.CSCClientSecretFile = "http://127.0.0.1:9/csc/v2", "v", "f"
		},
		"egress": func(c *Config) { c.EgressProxy = "http://u:p@proxy.example.com:3128" },
	} {
		c := Default()
		change(&c)
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckNamesEveryMistake(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *Config)
		want   []string
	}{
		"nothing": {func(c *Config) { *c = Config{} }, []string{"data", "http", "sftp", "sftp", "mail-limit", "environment", "speedup"}},
		"urls": {func(c *Config) {
			c.Database, c.Blobs, c.Keys, c.PublicURL, c.EgressProxy = "mysql://x", "s3:", "http://x", "ident.example.com", "socks5://x"
		}, []string{"database", "blobs", "keys", "public-url", "egress-proxy"}},
		"public":              {func(c *Config) { c.PublicURL = "https://a.example/?x" }, []string{"public-url"}},
		"ports":               {func(c *Config) { c.HTTP, c.SFTP = "127.0.0.1", "127.0.0.1:70000" }, []string{"http", "sftp"}},
		"one port":            {func(c *Config) { c.SFTP = c.HTTP }, []string{"sftp"}},
		"smtp":                {func(c *Config) { c.SMTP, c.SMTPUser, c.SMTPTLS, c.MailFrom = "mail", "u", "maybe", "nobody" }, []string{"smtp", "smtp-user", "smtp-tls", "mail-from"}},
		"no smtp":             {func(c *Config) { c.SMTPUser, c.SMTPPasswordFile = "u", "f" }, []string{"smtp"}},
		"csc without address": {func(c *Config) { c.CSCClientID = "v" }, []string{"csc-url"}},
		"csc without account": {func(c *Config) { c.CSCURL = "https://sign.example.com" }, []string{"csc-client-id", "csc-client-secret-file"}},
		"csc in the clear": {func(c *Config) {
			c.CSCURL, c.CSCTokenURL, c.CSCTimestampURL, c.CSCClientID, c.CSCClientSecretFile = "http://sign.example.com", "http://id.example.com", "ftp://x", "v", "f"
		}, []string{"csc-url", "csc-token-url", "csc-timestamp-url"}},
		"csc in live": {func(c *Config) {
			c.Environment, c.TLSCert, c.TLSKey = Live, "c", "k"
			c.CSCURL, c.CSCClientID, c.CSCClientSecretFile = "http://127.0.0.1:9/csc/v2", "v", "f"
		}, []string{"csc-url"}},
		"half tls": {func(c *Config) { c.TLSKey = "k" }, []string{"tls-cert"}},
		"networks": {func(c *Config) { c.TrustedProxy = []string{"10.0.0.0/33", "all", "10.0.0.0/8"} }, []string{"trusted-proxy", "trusted-proxy"}},
		"speedup":  {func(c *Config) { c.Speedup = 0 }, []string{"speedup"}},
		"negative": {func(c *Config) { c.Speedup = -5 }, []string{"speedup"}},
		"word":     {func(c *Config) { c.Environment = "LIVE" }, []string{"environment"}},
		"live":     {func(c *Config) { c.Environment, c.Demo, c.Speedup, c.PublicURL = Live, true, 2, "http://a.example" }, []string{"demo", "speedup", "tls-cert", "public-url"}},
	} {
		config := Default()
		c.change(&config)
		var got []string
		for _, f := range fault.All(config.Check()) {
			if !strings.Contains(f.Message, "expected") {
				t.Errorf("%s: %v", name, f)
			}
			got = append(got, f.Key)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatFollowsFromTheSettings(t *testing.T) {
	c := Default()
	live := c
	live.Environment = Live
	tls := c
	tls.TLSCert, tls.TLSKey = "c", "k"
	set := Config{Data: "d", PublicURL: "https://a.example/", Keys: "k", MasterKey: "m", SMTPTLS: "off", MailFrom: "x@y.example", Environment: Live}
	named := Config{PublicURL: "https://a.example:8443/x"}
	type row struct{ Base, Keys, Master, TLS, Sender string }
	for name, r := range map[string]struct {
		config Config
		want   row
	}{
		"test":  {c, row{"http://127.0.0.1:8080", "data/keys/keys.db", "data/keys/master", "auto", "noreply@localhost"}},
		"live":  {live, row{"https://127.0.0.1:8080", "data/keys/keys.db", "data/keys/master", "require", "noreply@localhost"}},
		"tls":   {tls, row{"https://127.0.0.1:8080", "data/keys/keys.db", "data/keys/master", "auto", "noreply@localhost"}},
		"set":   {set, row{"https://a.example", "k", "m", "off", "x@y.example"}},
		"named": {named, row{"https://a.example:8443/x", "keys/keys.db", "keys/master", "auto", "noreply@a.example"}},
	} {
		got := row{r.config.Base(), r.config.KeysURL(), r.config.MasterKeyFile(), r.config.MailTLS(), r.config.Sender()}
		if diff := cmp.Diff(r.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	got := Config{TrustedProxy: []string{"10.1.2.3/8", "::1", "nonsense", "192.0.2.1"}}.Proxies()
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.1/32")}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error(got)
	}
}

func TestPasswordsInAddressesAreWithheld(t *testing.T) {
	c := Default()
	c.Database, c.EgressProxy = "postgres://u:SECRET@db/x", "ftp://u:SECRET@proxy"
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "config", c)
	fmt.Fprintf(&b, "%v %+v %v", c, c, c.Check())
	if strings.Contains(b.String(), "SECRET") {
		t.Error(b.String())
	}
}

func TestFileHasTheNamesOfFlags(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vidimus.yaml")
	data := "http: 127.0.0.1:9090\npublic_url: https://a.example\nspeedup: 60\ndemo: TRUE\ntrusted-proxy: [10.0.0.0/8, \"::1\"]\nsmtp-user: \"\"\n"
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path, Names())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"http": "127.0.0.1:9090", "public-url": "https://a.example", "speedup": "60", "demo": "true", "trusted-proxy": "10.0.0.0/8,::1", "smtp-user": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFileNamesEveryMistake(t *testing.T) {
	_, err := Parse("vidimus.yaml", []byte("htpp: x\npublic-url: a\npublic_url: b\nsmtp: {host: a}\ndata: null\ntrusted-proxy: [[1], 'a,b']\n"), Names())
	var e document.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var got []string
	for _, m := range e {
		got = append(got, m.File+":"+strconv.Itoa(m.Line)+" "+m.Path)
	}
	want := []string{"vidimus.yaml:1 htpp", "vidimus.yaml:3 public_url", "vidimus.yaml:4 smtp", "vidimus.yaml:5 data", "vidimus.yaml:6 trusted-proxy[0]", "vidimus.yaml:6 trusted-proxy[1]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFileThatIsMissingOrTooLargeIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none"), Names()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	path := filepath.Join(dir, "large")
	if err := os.WriteFile(path, bytes.Repeat([]byte("#\n"), document.MaxSize), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, Names()); err == nil {
		t.Error("a file without end is read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("http: x\ntrusted_proxy: [a, b]\n")
	f.Fuzz(func(t *testing.T, data string) {
		values, err := Parse("f", []byte(data), Names())
		if err == nil && values == nil {
			t.Error("neither values nor an error")
		}
		for name := range values {
			if strings.Contains(name, "_") {
				t.Errorf("%s is no flag", name)
			}
		}
	})
}
