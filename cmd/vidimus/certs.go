package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/server/gateway"
	"vidimus/internal/trust/ca"
	"vidimus/internal/trust/csc"
)

// published is what the page of certificates offers beside the keys of results and of the
// trail: the host keys of SFTP, and the certificates and lists of the trust service.
func (p *platform) published(ctx context.Context) (all []gateway.Published, err error) {
	keys, err := p.hostKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		all = append(all, gateway.Published{
			Name: "sftp_host_" + strings.TrimPrefix(k.Type, "ssh-") + ".pub", Use: "Host key of SFTP: " + k.Type + " " + k.Fingerprint,
			ContentType: "text/plain; charset=utf-8", Bytes: []byte(k.Line),
		})
	}
	authority, err := p.trust.open(ctx)
	if err != nil {
		return nil, err
	}
	files, err := authority.Published(ctx)
	for _, f := range files {
		all = append(all, gateway.Published{Name: f.Name, Use: f.Use, ContentType: f.ContentType, Bytes: f.Bytes})
	}
	return all, err
}

// asked is gateway.Trust over the built-in authority.
type asked struct{ trust ownTrust }

func (a asked) OCSP(ctx context.Context, request []byte) ([]byte, error) {
	authority, err := a.trust.open(ctx)
	if err != nil {
		return nil, err
	}
	return authority.OCSP(ctx, request)
}

func (a asked) TimestampResponse(ctx context.Context, request []byte) ([]byte, error) {
	authority, err := a.trust.open(ctx)
	if err != nil {
		return nil, err
	}
	return authority.TimestampResponse(ctx, request)
}

// openTrust makes the authority ahead, so that the first signature does not wait for it.
func (p *platform) openTrust(ctx context.Context, log *slog.Logger) {
	authority, err := p.trust.open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			log.LogAttrs(ctx, slog.LevelError, "opening the trust service", slog.Any("error", err))
		}
		return
	}
	log.LogAttrs(ctx, slog.LevelInfo, "trust service", slog.String("root_sha256", sum(authority.Root())), slog.Bool("qualified", false))
}

// sum is the SHA-256 of a certificate, as it is compared by eye.
func sum(der []byte) string { return fmt.Sprintf("%x", sha256.Sum256(der)) }

// expiring is how long before its end a certificate that lasts is spoken of: what follows it
// has to be made known to everybody who trusts it.
const expiring = 365 * 24 * time.Hour

// trust says what signs documents here, and whether it could.
func (d *doctorCommand) trust(ctx context.Context, p *platform, say func(bool, string, error)) {
	all, err := ca.Standing(ctx, p.db)
	what := "trust service (built-in, not qualified): none yet; `vidimus serve` makes it"
	if len(all) > 0 {
		end := all[0].NotAfter
		for _, c := range all {
			if c.NotAfter.Before(end) {
				end = c.NotAfter
			}
		}
		if end.Before(p.clock.Now().Add(expiring)) {
			err = fmt.Errorf("it ends on %s", end.UTC().Format(time.DateOnly))
		}
		what = fmt.Sprintf("trust service (built-in, not qualified), root SHA-256 %s, until %s", sum(all[0].Raw), end.UTC().Format(time.DateOnly))
		if len(all) > 1 && len(all[1].IssuingCertificateURL) > 0 { // of the root: fixed since it was made
			what += ", published at " + all[1].IssuingCertificateURL[0]
		}
	}
	say(err == nil, what, err)
	if d.CSCURL == "" {
		return
	}
	until, err := d.remoteUntil(ctx, p)
	say(err == nil, "remote trust service"+until, err)
}

// remoteUntil opens the provider's key without signing anything, and says when its certificate
// ends.
func (d *doctorCommand) remoteUntil(ctx context.Context, p *platform) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client, err := csc.New(remote(d.Config), p.clock, nil)
	if err != nil {
		return "", err
	}
	s, err := client.Begin(ctx, "")
	if err != nil {
		return "", plainly(err)
	}
	if _, err := s.Validation(ctx); err != nil {
		return "", plainly(err)
	}
	c, err := x509.ParseCertificate(s.Chain()[0])
	if err != nil {
		return "", fmt.Errorf("reading the certificate: %w", err)
	}
	if c.NotAfter.Before(p.clock.Now().Add(soon)) && c.NotAfter.Sub(c.NotBefore) > soon { // shorter ones are the provider's to renew
		err = fmt.Errorf("its certificate ends on %s", c.NotAfter.UTC().Format(time.DateOnly))
	}
	return fmt.Sprintf(", certificate SHA-256 %s, until %s", sum(c.Raw), c.NotAfter.UTC().Format(time.DateOnly)), err
}

// plainly says why, where an error for users hides it.
func plainly(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && errors.Unwrap(f) != nil {
		return fmt.Errorf("%s: %w", f.Message, errors.Unwrap(f))
	}
	return err
}

type certificateCommand struct {
	List   certificateList   `cmd:"" help:"List certificates, the last one first: numbers and times, nothing about a person."`
	Revoke certificateRevoke `cmd:"" help:"Revoke a certificate for good."`
}

type certificateList struct {
	stateFlags `embed:""`
	Limit      int  `default:"50" help:"How many."`
	Revoked    bool `help:"Only those that are revoked."`
}

// Run prints the certificates.
func (c *certificateList) Run(ctx context.Context) error {
	if c.Limit < 1 || c.Limit > 100_000 {
		return errors.New("--limit is a number from 1 to 100000")
	}
	return c.with(ctx, func(p *platform) error {
		standing, err := ca.Standing(ctx, p.db)
		if err != nil {
			return err
		}
		of := map[string]string{}
		for n, one := range standing {
			of[hex.EncodeToString(one.SerialNumber.Bytes())] = []string{"root", "issuing", "tsa", "ocsp"}[n]
		}
		list, err := p.db.Certificates(ctx, c.Revoked, c.Limit)
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(t, "SERIAL\tOF\tISSUED\tEXPIRES\tREVOKED\tREASON")
		for _, one := range list {
			who, reason := of[one.Serial], "-"
			if who == "" {
				who = "signer"
			}
			if !one.Revoked.IsZero() {
				reason = strconv.Itoa(one.Reason)
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", one.Serial, who, moment(one.Issued), moment(one.Expires), moment(one.Revoked), reason)
		}
		return t.Flush()
	})
}

type certificateRevoke struct {
	stateFlags `embed:""`
	Serial     string `arg:"" help:"Its serial number, in hexadecimal, as list and validators show it; colons may stand in it."`
	Reason     int    `default:"0" help:"Why (RFC 5280): 0 not said, 1 key compromised, 3 affiliation changed, 4 superseded, 5 not used any more."`
}

// Run revokes one, and says what that does not do.
func (c *certificateRevoke) Run(ctx context.Context) error {
	serial, ok := new(big.Int).SetString(strings.ReplaceAll(c.Serial, ":", ""), 16)
	if !ok || serial.Sign() <= 0 || serial.BitLen() > 160 {
		return errors.New("a serial number is hexadecimal, such as 4b:0f:91 or 4b0f91")
	}
	return c.with(ctx, func(p *platform) error {
		was, reason, err := p.db.CertificateStatus(ctx, hex.EncodeToString(serial.Bytes()))
		if fault.Is(err, fault.NotFound) {
			return errors.New("no certificate with this number was issued here")
		}
		if err != nil {
			return err
		}
		if !was.IsZero() {
			return fmt.Errorf("it was revoked on %s, for reason %d, and stays so", moment(was), reason)
		}
		authority, err := p.trust.open(ctx)
		if err != nil {
			return err
		}
		if err := authority.Revoke(ctx, serial, c.Reason); err != nil {
			return err
		}
		fmt.Println("revoked; OCSP says so at once, the revocation lists of running servers within an hour.\n" +
			"Files signed before with a time-stamp stay valid: they prove that the certificate was good when they were signed.")
		return nil
	})
}
