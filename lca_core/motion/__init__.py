"""What drives anybody: poses of body and hands, faces, and motions of all together."""
