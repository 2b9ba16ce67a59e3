echo "left is fine"
