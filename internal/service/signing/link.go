package signing

import (
	"context"
	"encoding/base64"
	"strings"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
)

// forUploads keeps the tokens of upload links apart from whatever else the master key seals.
const forUploads = "upload link"

// maxToken bounds what is looked at as a token. A real one has about 200 characters at most.
const maxToken = 400

// UploadLink returns the address of the page where the user uploads the first document of i
// (7.2.5). Nothing in it can be read or guessed without the master key, nothing is stored for
// it, and it dies with the identification or its key. Each call returns another one; all are
// good. fault.Precondition where there is no document.
func (s *Service) UploadLink(ctx context.Context, i ident.Identification) (string, error) {
	rows, err := s.Store.Documents(ctx, i.Company, i.ID, i.KeyID)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", fault.New(fault.Precondition, "The identification has no documents")
	}
	sealed := s.Master.Seal(forUploads, []byte(string(i.ID)+" "+i.KeyID), []byte(i.Company))
	return s.Base + "/" + string(i.Company) + "/upload/" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Page is what the upload page is about: the first document of an identification.
type Page struct {
	Account        *account.Account
	Identification ident.Identification
	Document       esign.Document
	Closed         bool // nothing can be uploaded any more, or not now
}

// ByUploadLink returns what a link's token opens. It is fault.NotFound, and nothing tells why,
// when the company or the token is unknown, or the identification is gone.
func (s *Service) ByUploadLink(ctx context.Context, c company.ID, token string) (Page, error) {
	id, keyID, ok := s.readToken(c, token)
	a, known := s.Accounts.Get(c)
	if !ok || !known {
		return Page{}, fault.Of(fault.NotFound)
	}
	i, err := s.Store.IdentificationByID(ctx, c, id)
	if err != nil {
		return Page{}, err
	}
	if i.KeyID != keyID {
		return Page{}, fault.Of(fault.NotFound) // canceled, and maybe opened again
	}
	all, err := s.Documents(ctx, i)
	if err != nil {
		return Page{}, err
	}
	if len(all) == 0 {
		return Page{}, fault.Of(fault.NotFound)
	}
	return Page{Account: a, Identification: i, Document: all[0], Closed: editable(i) != nil}, nil
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
	plain, err := s.Master.Open(forUploads, sealed, []byte(c))
	if err != nil {
		return "", "", false
	}
	text, keyID, ok := strings.Cut(string(plain), " ")
	id, isID := ident.ParseID(text)
	return id, keyID, ok && isID
}
