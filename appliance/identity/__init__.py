"""Who is who: the site's certificate authorities, device keys, enrolment by claim token."""
