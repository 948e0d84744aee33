package publish

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
)

// forLinks keeps the tokens of download links apart from whatever else the master key seals.
const forLinks = "download link"

// maxToken bounds what is looked at as a token. A real one has about 200 characters at most.
const maxToken = 400

// Link returns the address of the form where the result of i can be fetched (chapter 11).
// Nothing in it can be read or guessed without the master key, nothing is stored for it, and
// it dies with the identification or its key. Each call returns another one; all are good.
func (s *Service) Link(i ident.Identification) string {
	plain := string(i.ID) + " " + i.KeyID
	sealed := s.master.Seal(forLinks, []byte(plain), []byte(i.Company))
	return s.base + "/" + string(i.Company) + "/download/" + base64.RawURLEncoding.EncodeToString(sealed)
}

// ByLink returns the archive that a link's token opens. It is fault.NotFound, and nothing
// tells why, when the company or the token is unknown, the company has no such form, or the
// identification is gone or has no result to hand out.
func (s *Service) ByLink(ctx context.Context, c company.ID, token string) (*account.Account, *ZIP, error) {
	id, keyID, ok := s.readToken(c, token)
	a, known := s.accounts.Get(c)
	if !ok || !known || !a.SecureDownload {
		return nil, nil, fault.Of(fault.NotFound)
	}
	i, err := s.store.IdentificationByID(ctx, c, id)
	if err != nil {
		return nil, nil, err
	}
	if i.KeyID != keyID {
		return nil, nil, fault.Of(fault.NotFound) // canceled, and maybe opened again
	}
	z, err := s.ZIP(ctx, a, i)
	if err != nil {
		return nil, nil, fmt.Errorf("opening what a link is for: %w", err)
	}
	return a, z, nil
}

// readToken opens a token of the company. It takes the same time for every company.
func (s *Service) readToken(c company.ID, token string) (id ident.ID, keyID string, ok bool) {
	if len(token) > maxToken {
		return "", "", false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", "", false
	}
	plain, err := s.master.Open(forLinks, sealed, []byte(c))
	if err != nil {
		return "", "", false
	}
	text, keyID, ok := strings.Cut(string(plain), " ")
	id, isID := ident.ParseID(text)
	return id, keyID, ok && isID
}
