package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"

	"vidimus/internal/server/gateway"
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
